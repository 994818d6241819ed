import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Frame } from '../core/frame.ts'
import { awkwardFrames, jsonFrameOf } from '../../test/json-frames.ts'
import { isPosternError } from '../core/errors.ts'
import { framesOf, framingContract } from '../testing/framing-contract.ts'
import type { FrameDecoder, FrameLimits } from './framing.ts'
import { newline } from './newline.ts'

describe('framing contract', () => {
  const lacks = { 'refusal at the header': 'a line says nothing about its length' }
  const harness = { name: 'newline', framing: newline, frames: awkwardFrames, frameOf: jsonFrameOf, lacks }
  for (const { title, run } of framingContract(harness)) test(title, run)
})

const limits: FrameLimits = {
  limitName: 'maxAnswerBytes',
  maxFrameBytes: 100_000,
  maxDepth: Number.POSITIVE_INFINITY,
  maxContainers: Number.POSITIVE_INFINITY,
  maxNames: Number.POSITIVE_INFINITY,
  maxHeaderBytes: 8_192,
  maxHeaders: 32,
}

/** A decoder with what comes out of it as text. */
function reader(given: Partial<FrameLimits> = {}) {
  const decoder: FrameDecoder = newline.decoder({ ...limits, ...given })
  const frames: string[] = []
  const sink = (frame: Frame): void => void frames.push(frame.bytes.toString())
  return {
    decoder,
    frames,
    push: (...chunks: (string | Buffer)[]) => {
      for (const chunk of chunks) decoder.push(Buffer.from(chunk as string), sink)
    },
    quiet: () => decoder.quiet(sink),
    end: () => decoder.end(sink),
  }
}

function read(...chunks: (string | Buffer)[]): string[] {
  const { push, end, frames } = reader()
  push(...chunks)
  end()
  return frames
}

describe('lines', () => {
  test.each([
    ['CRLF', '{"a":1}\r\n{"b":2}\r\n', ['{"a":1}', '{"b":2}']],
    ['blank lines', '\n\n{"a":1}\n\r\n\n \t \n{"b":2}\n\n', ['{"a":1}', '{"b":2}']],
    ['white space around values', '  {"a":1}\t \n\r [2] \n', ['{"a":1}', '[2]']],
    ['no newline behind the last', '{"a":1}\n{"b":2}', ['{"a":1}', '{"b":2}']],
    ['nothing but white space', ' \n\t\r\n ', []],
  ])('newline reads %s, whole and in pieces of any size', (_, wire, frames) => {
    for (let size = 1; size <= wire.length; size++) {
      expect(read(...(wire.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []))).toEqual(frames)
    }
  })

  test('newline writes each frame with a newline behind it', () => {
    const wire = newline.encode(['{"a":1}', Buffer.from('[2]'), Buffer.from('[3]'), '{"b":"é"}', '[4]'])
    expect(wire.map(String).join('')).toBe('{"a":1}\n[2]\n[3]\n{"b":"é"}\n[4]\n')
    expect(newline.encode(['{"a":1}', '[2]'])).toEqual(['{"a":1}\n[2]\n'])
    expect(newline.encode([])).toEqual([])
  })

  test('newline keeps characters whole that are cut between chunks', () => {
    const wire = Buffer.from('{"text":"é日本🔑"}\n')
    for (let cut = 0; cut <= wire.length; cut++) {
      expect(read(wire.subarray(0, cut), wire.subarray(cut))).toEqual(['{"text":"é日本🔑"}'])
    }
  })

  test('newline reads values after a flood of white space', () => {
    const flood = ' '.repeat(5_000)
    const { push, frames, decoder } = reader({ maxFrameBytes: 100 })
    push(flood, flood, `${flood}{"a":1}\n`, flood, '{"b":2}\n', `${flood}\n${flood}{"c":3}\n`)
    expect(frames).toEqual(['{"a":1}', '{"b":2}', '{"c":3}'])
    expect(decoder.pendingBytes).toBe(0)
  })

  test('newline counts white space behind a value, but none before it', () => {
    const frame = jsonFrameOf(64).toString()
    for (const wire of [`${frame}\n`, `   ${frame}\n`, `${frame.slice(0, 63)}`]) {
      const whole = reader({ maxFrameBytes: 64 })
      expect(() => whole.push(wire)).not.toThrow()
      const dribbled = reader({ maxFrameBytes: 64 })
      expect(() => dribbled.push(...wire)).not.toThrow()
      expect(whole.frames).toEqual(dribbled.frames)
    }
    for (const wire of [`${frame}\r\n`, `${frame}${' '.repeat(1_000)}`]) {
      expect(() => reader({ maxFrameBytes: 64 }).push(wire)).toThrow('[frame_too_large]')
      expect(() => reader({ maxFrameBytes: 64 }).push(...wire)).toThrow('[frame_too_large]')
    }
  })
})

describe('without newlines', () => {
  test('newline gives out a value without a newline when the stream falls quiet', () => {
    const { push, quiet, frames, decoder } = reader()
    push('{"jsonrpc":"2.0","id":1,', '"result":"0x0"}')
    expect(frames).toEqual([])
    expect(decoder.undecided).toBe(true)
    quiet()
    expect(frames).toEqual(['{"jsonrpc":"2.0","id":1,"result":"0x0"}'])
    expect(decoder.pendingBytes).toBe(0)
    expect(decoder.undecided).toBe(false)
  })

  test('newline reads on and on from a server that never sends one', () => {
    const { push, quiet, frames } = reader()
    push('{"id":1}')
    quiet()
    push('{"id":2}', '{"id"', ':3}{"id":4}[5]', '\r', '{"id":6}')
    expect(frames).toEqual(['{"id":1}', '{"id":2}', '{"id":3}', '{"id":4}', '[5]', '{"id":6}'])
  })

  test.each(['{"id":1}  ', '{"id":1}\r', '{"id":1}\t ', '[{"id":1}]'])('newline takes %j for undecided', (text) => {
    const { push, quiet, frames, decoder } = reader()
    push(text)
    expect(decoder.undecided).toBe(true)
    quiet()
    expect(frames).toEqual([text.trim()])
  })

  test('newline sees the closing bracket before a chunk of white space', () => {
    const { push, decoder } = reader()
    push('{"id":1}', '   ')
    expect(decoder.undecided).toBe(true)
    push('x')
    expect(decoder.undecided).toBe(false)
  })

  test.each(['{"id":1', '{"id":"}', '{"id":1},', ''])(
    'newline does not take %j for undecided unless it ends in a bracket',
    (text) => {
      const { push, quiet, frames, decoder } = reader()
      push(text)
      expect(decoder.undecided).toBe(/[}\]]$/.test(text))
      quiet()
      expect(frames).toEqual([])
      expect(decoder.pendingBytes).toBe(Buffer.byteLength(text))
    },
  )

  test('newline goes on with a value that only seemed to end when the stream fell quiet', () => {
    const { push, quiet, frames, decoder } = reader()
    push('{"list":[{"a":1}')
    quiet()
    expect(decoder.pendingBytes).toBe(16)
    expect(decoder.undecided).toBe(false)
    expect(Buffer.from(decoder.head()).toString()).toBe('{"list":[{"a":1}')
    push(',{"b":"}{"}]}\n{"next":1}\n')
    expect(frames).toEqual(['{"list":[{"a":1},{"b":"}{"}]}', '{"next":1}'])
  })

  test('newline is back on its fast path behind a newline', () => {
    const { push, quiet, frames, decoder } = reader()
    push('{"id":1}')
    quiet()
    push('\n{"id":2}')
    expect(frames).toEqual(['{"id":1}'])
    expect(decoder.undecided).toBe(true)
    push('\n')
    expect(frames).toEqual(['{"id":1}', '{"id":2}'])
    expect(decoder.undecided).toBe(false)
  })

  test('newline loses one line, not the rest, when an answer was cut off while its stream was quiet', () => {
    const { push, quiet, frames } = reader()
    push('{"id":1,"result":[{"log":"a}')
    quiet()
    expect(() => push('aaaa{"jsonrpc":"2.0","id":2,"result":"0x10"}\n{"id":3}\n')).toThrow('[bad_frame]')
    expect(frames).toEqual([])
  })

  test('newline ends a value at a newline, though it came quietly', () => {
    const { push, quiet } = reader()
    push('{"list":[]')
    quiet()
    expect(() => push('\n}')).toThrow('[bad_frame] expected a JSON object or array, got "{"list":[]"')
  })
})

describe('glued values', () => {
  test.each([
    ['{"a":1}{"b":2}\n', ['{"a":1}', '{"b":2}']],
    ['{"a":1}{"b":2}{"c":3}', ['{"a":1}', '{"b":2}', '{"c":3}']],
    ['[1][2]\n', ['[1]', '[2]']],
    ['[1]{"a":1}[2]{"b":2}\n', ['[1]', '{"a":1}', '[2]', '{"b":2}']],
    ['{"a":1}[1]\n', ['{"a":1}', '[1]']],
    ['{"a":"}{"}\n', ['{"a":"}{"}']],
    ['{"a":"}{"}{"b":"}{"}\r\n', ['{"a":"}{"}', '{"b":"}{"}']],
    ['{"a":"][","b":"}[","c":"]{"}\n', ['{"a":"][","b":"}[","c":"]{"}']],
    ['["][","]{"]\n', ['["][","]{"]']],
    ['{"a":1}{"b":2}\n{"c":3}\n{"d":4}{"e":5}\n', ['{"a":1}', '{"b":2}', '{"c":3}', '{"d":4}', '{"e":5}']],
  ])('newline reads %s, however it is cut', (wire, frames) => {
    for (let cut = 0; cut <= wire.length; cut++) expect(read(wire.slice(0, cut), wire.slice(cut))).toEqual(frames)
    expect(read(...wire)).toEqual(frames)
  })

  test('newline refuses a line that ends inside its last value', () => {
    const { push, frames } = reader()
    expect(() => push('{"a":1}{"b":\n')).toThrow('[bad_frame]')
    expect(frames).toEqual(['{"a":1}'])
  })

  test('newline refuses a line cut off inside a string, with another value spliced in', () => {
    const { push, frames } = reader()
    expect(() => push('{"id":1,"result":"aaaa}{"id":2,"result":"0x10"}\n')).toThrow('[bad_frame]')
    expect(frames).toEqual([])
  })

  test('newline gives out the values before the half one when the stream ends', () => {
    const { push, end, frames } = reader()
    push('{"a":1}{"b":2}{"c"')
    expect(end).toThrow('[closed] the other side ended inside a frame, after 4 bytes of it')
    expect(frames).toEqual(['{"a":1}', '{"b":2}'])
  })
})

describe('what is no JSON', () => {
  test.each([
    ['Too many connections. Please try again later.', '"Too many connections. Please try again later."'],
    ['Too many connections.\n', '"Too many connections."'],
    ['}\n', '"}"'],
    ['  "text"\n', '""text""'],
    ['123', '"123"'],
    ['null\n', '"null"'],
    ['\ufeff{}\n', '"\\ufeff{}"'],
    ['HTTP/1.1 400 Bad Request\r\n', '"HTTP/1.1 400 Bad Request'],
    ['\u001b[2J\n', '"\\u001b[2J"'],
  ])('newline refuses %j at once and quotes it', (text, quoted) => {
    expect(() => reader().push(text)).toThrow(`[bad_frame] expected a JSON object or array, got ${quoted}`)
    expect(() => reader().push(...text)).toThrow('[bad_frame] expected a JSON object or array, got "')
  })

  test('newline refuses text behind a value that came quietly', () => {
    const { push, quiet, frames } = reader()
    push('{"a":1} bye}')
    expect(quiet).toThrow('[bad_frame] expected a JSON object or array, got "bye}"')
    expect(frames).toEqual(['{"a":1}'])
  })
})

test('newline ends quietly behind a value without a newline, and not inside one', () => {
  const whole = reader()
  whole.push('{"a":1}')
  whole.end()
  expect(whole.frames).toEqual(['{"a":1}'])
  const half = reader()
  half.push('{"a":1')
  expect(half.end).toThrow('[closed] the other side ended inside a frame, after 6 bytes of it')
})

test('newline gives back any JSON under any cuts, with any white space between (fast-check)', () => {
  const value = fc.oneof(fc.object({ withNullPrototype: false }), fc.array(fc.jsonValue()))
  const lines = fc.array(fc.tuple(value, fc.constantFrom('\n', '\r\n', '\n\n', ' \n', '\n \t\r\n')), { maxLength: 6 })
  fc.assert(
    fc.property(lines, fc.array(fc.nat(400), { maxLength: 8 }), (pairs, cuts) => {
      const texts = pairs.map(([item]) => JSON.stringify(item))
      const wire = Buffer.from(pairs.map(([, space], index) => `${texts[index]}${space}`).join(''))
      const within = cuts.map((cut) => Math.min(cut, wire.length)).sort((a, b) => a - b)
      const frames = framesOf(newline, wire, within)
      expect(frames.map((frame) => Buffer.from(frame).toString())).toEqual(texts)
    }),
    { numRuns: 2_000 },
  )
})

test('newline throws nothing but PosternError, whatever arrives and whenever it is quiet (fast-check)', () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc
      .constantFrom('{', '}', '[', ']', '"', '\\', '\n', '\r\n', '}{', '{"a":1}', ' ', 'x')
      .map((text) => Buffer.from(text)),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(piece, fc.boolean()), { maxLength: 30 }), (pieces) => {
      const { push, quiet, end, decoder } = reader({ maxFrameBytes: 50 })
      try {
        for (const [bytes, pause] of pieces) {
          push(Buffer.from(bytes))
          if (pause) quiet()
          expect(decoder.pendingBytes).toBeLessThanOrEqual(50)
        }
        end()
      } catch (error) {
        if (!isPosternError(error)) throw error
      }
    }),
    { numRuns: 2_000 },
  )
})
