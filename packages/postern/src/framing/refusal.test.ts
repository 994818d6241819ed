import { describe, expect, test } from 'vitest'
import { awkwardFrames, jsonFrameOf } from '../../test/json-frames.ts'
import { awkwardMsgpackFrames, msgpackFrameOf } from '../../test/msgpack-frames.ts'
import { isPosternError, type PosternError } from '../core/errors.ts'
import type { Frame } from '../core/frame.ts'
import { type FramingHarness, framingContract } from '../testing/framing-contract.ts'
import { contentLength } from './content-length.ts'
import type { FrameLimits, Framing } from './framing.ts'
import { lengthPrefix } from './length-prefix.ts'
import { msgpackStream } from './msgpack-stream.ts'
import { newline } from './newline.ts'
import { withRefusal } from './refusal.ts'

const framings: readonly Framing[] = [newline, contentLength, lengthPrefix, msgpackStream]

const limits: FrameLimits = {
  limitName: 'maxAnswerBytes',
  maxFrameBytes: 100_000,
  maxDepth: Number.POSITIVE_INFINITY,
  maxContainers: Number.POSITIVE_INFINITY,
  maxNames: Number.POSITIVE_INFINITY,
  maxHeaderBytes: 8_192,
  maxHeaders: 32,
}

/** The error of a decoder that is given these pieces, and then the end of the stream where `ends` says so. */
function faultOf(framing: Framing, pieces: readonly Buffer[], ends = false): PosternError {
  const decoder = withRefusal(framing).decoder(limits)
  const sink = (): void => expect.unreachable()
  try {
    for (const piece of pieces) decoder.push(piece, sink)
    if (ends) decoder.end(sink)
  } catch (error) {
    if (isPosternError(error)) return error
  }
  return expect.unreachable('no error')
}

const bytesOf = (text: string): Buffer[] => [...Buffer.from(text)].map((byte) => Buffer.of(byte))

describe.each(framings)('framing contract of $name with refusals', (framing) => {
  const isText = framing !== msgpackStream
  const harness: FramingHarness = {
    name: framing.name,
    framing: withRefusal(framing),
    frames: isText ? awkwardFrames : awkwardMsgpackFrames,
    frameOf: isText ? jsonFrameOf : msgpackFrameOf,
    lacks: {
      ...(framing === newline ? { 'refusal at the header': 'a line says nothing about its length' } : {}),
      ...(isText ? {} : { 'encoding of text': 'MessagePack is never text' }),
    },
  }
  for (const { title, run } of framingContract(harness)) test(title, run)
})

describe.each(framings)('a refusal where $name is spoken', (framing) => {
  const line = '[unsupported_protocol] this address takes json, msgpack: got "HELO"'

  test('is the error, however it is cut and whatever stands behind it', () => {
    const wire = Buffer.from(`${line}\r\nmore`)
    for (let cut = 0; cut <= wire.length; cut++) {
      const fault = faultOf(framing, [wire.subarray(0, cut), wire.subarray(cut)])
      expect([fault.code, fault.message]).toEqual(['unsupported_protocol', line])
    }
    expect(faultOf(framing, bytesOf(`${line}\n`)).message).toBe(line)
  })

  test('is the error though it ends without a newline, and though it ends too early', () => {
    expect(faultOf(framing, [Buffer.from(line)], true).message).toBe(line)
    expect(faultOf(framing, bytesOf('[unsupp'), true).message).toBe('[bad_frame] expected an answer, got "[unsupp"')
    expect(faultOf(framing, bytesOf('['), true).code).toBe('closed')
  })

  test.each([
    ['[permission_denied] no\n', '[permission_denied] no'],
    ['[info] listening\n', '[bad_frame] expected an answer, got "[info] listening"'],
    ['[constructor] x\n', '[bad_frame] expected an answer, got "[constructor] x"'],
    ['[internal]\n', '[bad_frame] expected an answer, got "[internal]"'],
    ['[internal] \u001b[2J\u2028x\n', '[internal] \\u001b[2J\\u2028x'],
    ['[warn] \u0007\n', '[bad_frame] expected an answer, got "[warn] \\u0007"'],
  ])('%j is told as %j', (text, message) => {
    expect(faultOf(framing, [Buffer.from(text)]).message).toBe(message)
  })

  test('is waited for up to 512 bytes, which all can be seen to be pending', () => {
    const decoder = withRefusal(framing).decoder(limits)
    const sink = (): void => expect.unreachable()
    const long = Buffer.from(`[internal] ${'x'.repeat(2_000)}`)
    decoder.push(long.subarray(0, 511), sink)
    expect([decoder.pendingBytes, decoder.undecided]).toEqual([511, false])
    expect(Buffer.from(decoder.head()).equals(long.subarray(0, 511))).toBe(true)
    expect(() => decoder.push(long.subarray(511), sink)).toThrow(/^\[internal\] x{501}$/)
    expect(faultOf(framing, [long]).message).toMatch(/^\[internal\] x{501}$/)
  })

  test('is none behind a frame: what stands there is for the framing', () => {
    const decoder = withRefusal(framing).decoder(limits)
    const frame = framing === msgpackStream ? Buffer.of(0x93, 2, 0xa1, 0x61, 0x90) : '{"id":1}'
    const frames: string[] = []
    const sink = (read: Frame): void => void frames.push(read.bytes.toString('latin1'))
    for (const piece of framing.encode([frame])) decoder.push(Buffer.from(piece as string), sink)
    expect(frames).toEqual([Buffer.from(frame as string).toString('latin1')])
    const late = Buffer.from('[permission_denied] no\n')
    if (framing === newline) decoder.push(late, sink)
    else expect(() => decoder.push(late, sink)).toThrow(/^\[(bad_frame|frame_too_large)\]/)
    expect(frames.slice(1)).toEqual(framing === newline ? ['[permission_denied] no'] : [])
  })
})
