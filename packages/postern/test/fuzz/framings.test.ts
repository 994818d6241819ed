/**
 * Damaged streams against every framing whose frames say how long they are: however the bytes are cut, the same frames
 * come out and the same is refused, nothing is thrown but the errors that are promised, and nothing is held beyond the
 * limits.
 */

import { expect } from 'vitest'
import { type ErrorCode, isPosternError } from '../../src/core/errors.ts'
import type { Frame } from '../../src/core/frame.ts'
import { boundedJson } from '../../src/framing/bounded-json.ts'
import { contentLength } from '../../src/framing/content-length.ts'
import type { Framing } from '../../src/framing/framing.ts'
import { lengthPrefix } from '../../src/framing/length-prefix.ts'
import { msgpackStream } from '../../src/framing/msgpack-stream.ts'
import type { SeededRandom } from '../../src/testing/seeded-random.ts'
import { awkwardFrames } from '../json-frames.ts'
import { awkwardMsgpackFrames, fromHex } from '../msgpack-frames.ts'
import { fuzz } from './fuzz.ts'
import { mutated } from './mutator.ts'

const limits = {
  limitName: 'maxCallBytes',
  maxFrameBytes: 200,
  maxDepth: 6,
  maxContainers: 30,
  maxNames: 9,
  maxHeaderBytes: 100,
  maxHeaders: 4,
} as const
const codes: readonly ErrorCode[] = ['bad_frame', 'frame_too_large', 'limit_exceeded', 'closed']

interface Target {
  readonly name: string
  readonly framing: Framing
  readonly frames: readonly Buffer[]
  /** Good streams that the framing itself would not write. */
  readonly foreign: readonly Buffer[]
  /** What its headers stumble over. */
  readonly tokens: readonly Buffer[]
  /** Fails for a frame that should not have come out of these bytes. */
  readonly check: (frames: readonly Buffer[], bytes: Buffer) => void
}

const small = (frames: readonly Buffer[]): Buffer[] => frames.filter((frame) => frame.length <= limits.maxFrameBytes)

const prefixes = ['00000000', '00000001', '000000c8', '000000c9', '7fffffff', 'ffffffff', '0000', '0100'].map(fromHex)

const headers = [
  ...[
    'Content-Length: 2\r\n\r\n{}',
    'content-length:\t2 \r\n\r\n[]',
    'Content-Length: 0',
    'Content-Length: -1',
    '\r\n',
    '\r\n\r\n',
  ],
  ...[
    '\n',
    '\r',
    ': ',
    '0x1',
    '+1',
    '1'.repeat(15),
    '1'.repeat(16),
    'Content-Length: 2\r\n',
    '\u0000',
    ' ',
    '\r\n ',
    'A: b\r\n',
  ],
  ...['Content-Type: a; charset=utf-8\r\n', 'Content-Type: a; charset=latin1\r\n', '{"a":1}'],
].map((text) => Buffer.from(text))

const formats = [
  'c1',
  'dc0003',
  'dd00000004',
  'ddffffffff',
  'dfffffffff',
  'c6ffffffff',
  'db000000c8',
  'd9',
  'c4',
  'de0001',
]
  .concat([
    'd472409361',
    'c70080',
    'c9000000',
    'd6ff',
    '8191',
    '9391',
    '94',
    '93',
    'cf',
    '9f',
    '8f',
    'bf',
    '91'.repeat(9),
  ])
  .map(fromHex)

/** Whatever comes out is, written again, what went in. */
const writesTheSame = (framing: Framing) => (frames: readonly Buffer[], bytes: Buffer) => {
  const written = Buffer.concat(framing.encode(frames).map((piece) => Buffer.from(piece as string)))
  if (!bytes.subarray(0, written.length).equals(written)) expect.unreachable('the frames were not in the stream')
}

const oneValue = /^[ \t\r\n]*[[{][^]*[\]}][ \t\r\n]*$/

const holdsOneValue = (frames: readonly Buffer[]): void => {
  for (const frame of frames) if (!oneValue.test(frame.toString('latin1'))) expect.unreachable(frame.toString())
}

const targets: readonly Target[] = [
  {
    name: 'length-prefix',
    framing: lengthPrefix,
    frames: small([...awkwardFrames, ...awkwardMsgpackFrames]),
    foreign: [],
    tokens: prefixes,
    check: writesTheSame(lengthPrefix),
  },
  {
    name: 'bounded length-prefix',
    framing: boundedJson(lengthPrefix),
    frames: small(awkwardFrames),
    foreign: [],
    tokens: prefixes,
    check: holdsOneValue,
  },
  ...[contentLength, boundedJson(contentLength)].map((framing, index) => ({
    name: index === 0 ? 'content-length' : 'bounded content-length',
    framing,
    frames: small(awkwardFrames),
    foreign: ['{}', ' [1]\n'].flatMap((body) =>
      [
        `content-length:${body.length}\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n${body}`,
        `X-Any: a: b\r\nCONTENT-LENGTH: \t000${body.length} \r\nY:\r\n\r\n${body}`,
      ].map((text) => Buffer.from(text)),
    ),
    tokens: headers,
    check: index === 0 ? writesInOrder : holdsOneValue,
  })),
  {
    name: 'msgpack-stream',
    framing: msgpackStream,
    frames: small(awkwardMsgpackFrames),
    foreign: [],
    tokens: formats,
    check: (frames, bytes) => {
      writesTheSame(msgpackStream)(frames, bytes)
      for (const frame of frames) if (endOfValue(frame, 0) !== frame.length) expect.unreachable(frame.toString('hex'))
    },
  },
]

/** Whatever comes out stands in what went in, one behind the other. */
function writesInOrder(frames: readonly Buffer[], bytes: Buffer): void {
  let from = 0
  for (const frame of frames) {
    const at = bytes.indexOf(Buffer.concat([Buffer.from('\r\n\r\n'), frame]), from)
    if (at < 0) expect.unreachable(`not in the stream: ${frame.toString()}`)
    from = at + 4 + frame.length
  }
}

/** Where a MessagePack value ends, found the plain way, one format after the other. */
function endOfValue(bytes: Buffer, at: number): number {
  const format = bytes[at] as number
  const sized = (width: number): number => bytes.readUIntBE(at + 1, width)
  const items = (count: number, from: number): number => {
    let end = from
    for (let item = 0; item < count; item++) end = endOfValue(bytes, end)
    return end
  }
  if (format < 0x80 || format >= 0xe0) return at + 1
  if (format < 0x90) return items(2 * (format - 0x80), at + 1)
  if (format < 0xa0) return items(format - 0x90, at + 1)
  if (format < 0xc0) return at + 1 + format - 0xa0
  const rest = format - 0xc0
  if (rest === 1) throw new Error('0xc1')
  if (rest < 4) return at + 1
  if (rest < 7) return at + 1 + 2 ** (rest - 4) + sized(2 ** (rest - 4))
  if (rest < 10) return at + 2 + 2 ** (rest - 7) + sized(2 ** (rest - 7))
  if (rest < 12) return at + 1 + 4 * (rest - 9)
  if (rest < 20) return at + 1 + 2 ** ((rest - 12) % 4)
  if (rest < 25) return at + 2 + 2 ** (rest - 20)
  if (rest < 28) return at + 1 + 2 ** (rest - 25) + sized(2 ** (rest - 25))
  const width = 2 ** (1 + (rest % 2))
  return items(rest < 30 ? sized(width) : 2 * sized(width), at + 1 + width)
}

/** A stream of a few frames, some of them damaged before they were framed, the whole perhaps damaged afterwards. */
function damagedStream({ framing, frames, foreign, tokens }: Target, random: SeededRandom): Buffer {
  const written = (): Buffer => {
    const frame = random.below(3) === 0 ? mutated(frames, random).subarray(0, 220) : random.pick(frames)
    return Buffer.concat(framing.encode([frame]).map((piece) => Buffer.from(piece as string)))
  }
  const parts = Array.from({ length: 1 + random.below(4) }, () =>
    foreign.length > 0 && random.below(4) === 0 ? random.pick(foreign) : written(),
  )
  let bytes: Buffer = Buffer.concat(parts)
  if (random.below(3) === 0) bytes = mutated([bytes], random)
  for (let times = random.below(3); times > 0; times--) {
    const at = random.below(bytes.length + 1)
    bytes = Buffer.concat([bytes.subarray(0, at), random.pick(tokens), bytes.subarray(at + random.below(3))])
  }
  return bytes
}

/** The frames that come out when the bytes are cut in pieces of these sizes, and with what the stream was refused. */
function readStream(framing: Framing, bytes: Buffer, nextSize: () => number) {
  const decoder = framing.decoder(limits)
  const frames: Buffer[] = []
  const sink = (frame: Frame): void => void frames.push(frame.bytes)
  let code: ErrorCode | undefined
  try {
    for (let at = 0, next = 0; at < bytes.length; at = next) {
      next = at + nextSize()
      decoder.push(Buffer.from(bytes.subarray(at, next)), sink)
      if (decoder.pendingBytes > limits.maxFrameBytes) expect.unreachable(`${decoder.pendingBytes} bytes held`)
      if (decoder.head().length < Math.min(decoder.pendingBytes, 128)) expect.unreachable('a head that is too short')
    }
    decoder.end(sink)
  } catch (error) {
    if (!isPosternError(error) || !codes.includes(error.code)) throw error
    code = error.code
  }
  return { frames, code }
}

/** Whether the stream got past its first frame. */
function checkStream({ framing, check }: Target, bytes: Buffer, random: SeededRandom): boolean {
  const whole = readStream(framing, bytes, () => Math.max(1, bytes.length))
  // Byte by byte costs as much as all else together.
  const most = random.pick([1, 10, 60, 60, 200])
  const { frames, code } = readStream(framing, bytes, () => 1 + random.below(most))
  if (code !== whole.code || frames.length !== whole.frames.length) expect({ frames, code }).toEqual(whole)
  for (const [index, frame] of whole.frames.entries()) {
    if (!frame.equals(frames[index] as Buffer)) expect.unreachable(`frame ${index} depends on where it is cut`)
    if (frame.length === 0 || frame.length > limits.maxFrameBytes)
      expect.unreachable(`a frame of ${frame.length} bytes`)
  }
  check(whole.frames, bytes)
  return whole.frames.length > 0
}

for (const target of targets) {
  fuzz(
    target.name,
    target.frames,
    (bytes, random) => checkStream(target, bytes, random),
    (_corpus, random) => damagedStream(target, random),
  )
}
