import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Frame } from '../core/frame.ts'
import { awkwardFrames, jsonFrameOf } from '../../test/json-frames.ts'
import { countedBuffer } from '../testing/counted-buffer.ts'
import { framesOf, framingContract } from '../testing/framing-contract.ts'
import type { FrameLimits } from './framing.ts'
import { lengthPrefix } from './length-prefix.ts'

/** Bytes that are no text, and that look like prefixes. */
const binaryFrames = [[0], [0, 0, 0, 1], [0, 0, 0, 0, 0], [255, 255, 255, 255], Array(300).fill(129)].map((bytes) =>
  Buffer.from(bytes as number[]),
)

describe('framing contract', () => {
  const frames = [...awkwardFrames, ...binaryFrames]
  const harness = { name: 'length-prefix', framing: lengthPrefix, frames, frameOf: jsonFrameOf }
  for (const { title, run } of framingContract(harness)) test(title, run)
})

const limits: FrameLimits = {
  limitName: 'maxCallBytes',
  maxFrameBytes: 1_000,
  maxDepth: 64,
  maxContainers: 1_000,
  maxNames: 1_000,
  maxHeaderBytes: 8_192,
  maxHeaders: 32,
}

function reader(given: Partial<FrameLimits> = {}) {
  const decoder = lengthPrefix.decoder({ ...limits, ...given })
  const frames: string[] = []
  const sink = (frame: Frame): void => void frames.push(frame.bytes.toString('latin1'))
  return {
    decoder,
    frames,
    push: (...chunks: (readonly number[] | Buffer)[]) => {
      for (const chunk of chunks) decoder.push(Buffer.from(chunk), sink)
    },
    end: () => decoder.end(sink),
  }
}

function prefixed(text: string): Buffer {
  const prefix = Buffer.alloc(4)
  prefix.writeUInt32BE(text.length)
  return Buffer.concat([prefix, Buffer.from(text, 'latin1')])
}

function written(...frames: (string | Uint8Array)[]): Buffer {
  return Buffer.concat(lengthPrefix.encode(frames).map((piece) => Buffer.from(piece as string)))
}

describe('reading', () => {
  test('length-prefix reads what Python writes with send_bytes', () => {
    const { push, frames } = reader()
    push(Buffer.from('0000000d7b226a736f6e727063223a317d0000000161', 'hex'))
    expect(frames).toEqual(['{"jsonrpc":1}', 'a'])
  })

  test('length-prefix gives out a frame with its last byte, and is never undecided', () => {
    const { push, frames, decoder } = reader()
    push([0, 0, 0, 2, 0x61])
    expect(frames).toEqual([])
    expect(decoder.undecided).toBe(false)
    push([0x62])
    expect(frames).toEqual(['ab'])
    decoder.quiet(() => expect.unreachable())
    expect(decoder.pendingBytes).toBe(0)
  })

  test('length-prefix shows the prefix until the first byte of the frame, so that a frame on its way is seen', () => {
    const { push, decoder } = reader()
    const shown: [number, string][] = []
    for (const byte of [0, 0, 0, 3, 0x61, 0x62]) {
      push([byte])
      shown.push([decoder.pendingBytes, Buffer.from(decoder.head()).toString('hex')])
    }
    expect(shown).toEqual([
      [1, '00'],
      [2, '0000'],
      [3, '000000'],
      [4, '00000003'],
      [1, '61'],
      [2, '6162'],
    ])
  })

  test('length-prefix gives frames of one chunk as views of it, not as copies', () => {
    const looks = { looked: 0, copied: 0 }
    let count = 0
    const wire = Buffer.concat(Array.from({ length: 100 }, () => prefixed('x'.repeat(100))))
    lengthPrefix.decoder(limits).push(countedBuffer(wire, looks), () => count++)
    expect(count).toBe(100)
    expect(looks).toEqual({ looked: 400, copied: 0 })
  })

  test('length-prefix says that the stream ended inside a prefix, behind one, and inside a frame', () => {
    for (const [bytes, held] of [
      [[0], 1],
      [[0, 0, 0, 5], 4],
      [[0, 0, 0, 5, 1, 2], 2],
    ] as const) {
      const { push, end } = reader()
      push(prefixed('whole'), bytes)
      expect(end).toThrow(`[closed] the other side ended inside a frame, after ${held} bytes of it`)
    }
  })
})

describe('prefixes', () => {
  test.each([
    ['0', '00000000', 'bad_frame', '[bad_frame] a frame of 0 bytes was announced'],
    [
      'one over the limit',
      '000003e9',
      'frame_too_large',
      'call of at least 1001 bytes exceeds limits.maxCallBytes (1000)',
    ],
    ['text', '47455420', 'frame_too_large', 'call of at least 1195725856 bytes exceeds'],
    ['2 GiB', '80000000', 'frame_too_large', 'call of at least 2147483648 bytes exceeds'],
    ['4 GiB', 'ffffffff', 'frame_too_large', 'call of at least 4294967295 bytes exceeds'],
    ["Python's -1 with 8 bytes more", 'ffffffff0000010000000000', 'frame_too_large', 'at least 4294967295 bytes'],
  ])('length-prefix refuses a prefix of %s with its last byte, however it is cut', (_, digits, code, sentence) => {
    const prefix = Buffer.from(digits, 'hex').subarray(0, 4)
    const rest = Buffer.concat([Buffer.from(digits, 'hex').subarray(4), Buffer.from('0123456789')])
    for (let cut = 0; cut < 4; cut++) {
      const { push, decoder, frames } = reader()
      push(prefixed('before'), prefix.subarray(0, cut))
      const refusal = () => push(Buffer.concat([prefix.subarray(cut), rest]))
      expect(refusal).toThrow(sentence)
      expect(frames).toEqual(['before'])
      expect(decoder.pendingBytes).toBe(cut)
    }
    expect(() => reader().push(prefix)).toThrow(expect.objectContaining({ code }))
  })

  test.each([1, 127, 128, 255, 256, 999, 1_000])('length-prefix takes %d bytes at a limit of 1,000', (length) => {
    const text = 'x'.repeat(length)
    const { push, frames } = reader()
    push(prefixed(text), prefixed('next'))
    expect(frames).toEqual([text, 'next'])
  })

  test('length-prefix allocates nothing on the word of a prefix', () => {
    const held = Array.from({ length: 100 }, () => lengthPrefix.decoder({ ...limits, maxFrameBytes: 2 ** 24 }))
    const before = process.memoryUsage().arrayBuffers
    for (const decoder of held) decoder.push(Buffer.from('010000000123456789abcdef0123', 'hex'), () => undefined)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(5_000_000)
    expect(held.map((decoder) => decoder.pendingBytes)).toEqual(Array(100).fill(10))
  })
})

describe('writing', () => {
  test('length-prefix writes small frames, texts and bytes, as one piece', () => {
    expect(lengthPrefix.encode(['{"a":1}', 'é日🔑', '[2]'])).toHaveLength(1)
    expect(written('{"a":1}', '[2]').toString('hex')).toBe('000000077b2261223a317d000000035b325d')
    expect(written('é', '[2]').toString('hex')).toBe('00000002c3a9000000035b325d')
    expect(lengthPrefix.encode([Buffer.from([1]), Buffer.from([2, 3])])).toHaveLength(1)
    expect(written(Uint8Array.of(1), 'é', Buffer.from([2, 3])).toString('hex')).toBe(
      '000000010100000002c3a9000000020203',
    )
    expect(lengthPrefix.encode([])).toEqual([])
  })

  test('length-prefix writes half a surrogate pair as the three bytes that it becomes', () => {
    expect(written('\ud83d', 'a').toString('hex')).toBe('00000003efbfbd0000000161')
  })

  test('length-prefix copies no large bytes', () => {
    const large = Buffer.alloc(64 * 1024 + 1, 'x')
    const pieces = lengthPrefix.encode(['a', large, 'b'])
    expect(pieces).toHaveLength(4)
    expect(pieces[2]).toBe(large)
    const wire = Buffer.concat([prefixed('a'), prefixed('x'.repeat(65_537)), prefixed('b')])
    expect(written('a', large, 'b').equals(wire)).toBe(true)
  })

  test('length-prefix refuses to write a frame whose length has no place in 4 bytes', () => {
    const large = { length: 2 ** 32 } as unknown as Uint8Array
    expect(() => lengthPrefix.encode([large])).toThrow(RangeError)
  })
})

test('length-prefix gives back any bytes under any cuts (fast-check)', () => {
  const frame = fc.uint8Array({ minLength: 1, maxLength: 300 })
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 6 }), fc.array(fc.nat(2_000), { maxLength: 8 }), (frames, cuts) => {
      const wire = written(...frames)
      const within = cuts.map((cut) => Math.min(cut, wire.length)).sort((a, b) => a - b)
      expect(framesOf(lengthPrefix, wire, within).map((each) => [...each])).toEqual(frames.map((each) => [...each]))
    }),
    { numRuns: 2_000 },
  )
})
