import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Blobs, SharedBlob } from '../core/blobs.ts'
import { PosternError } from '../core/errors.ts'
import { cbor } from './cbor.ts'
import { json } from './json.ts'
import { msgpack } from './msgpack.ts'

/** Blobs that a map holds in place of shared memory; what one side sends the same one takes. */
class FakeBlobs implements Blobs {
  readonly made = new Set<Uint8Array>()
  readonly sent = new Map<number, Uint8Array>()
  #lastId = 2 ** 40

  create(bytes: number): Uint8Array {
    const created = new Uint8Array(bytes).fill(bytes)
    this.made.add(created)
    return created
  }

  has(bytes: Uint8Array): boolean {
    return this.made.has(bytes)
  }

  send(bytes: Uint8Array): number {
    this.made.delete(bytes)
    this.sent.set(++this.#lastId, bytes)
    return this.#lastId
  }

  take(id: number): Uint8Array {
    const bytes = this.sent.get(id)
    if (bytes === undefined) throw new PosternError('bad_frame', `no blob ${id}`)
    this.sent.delete(id)
    return bytes
  }
}

describe.each([msgpack, cbor])('$name', (codec) => {
  test(`${codec.name} names blobs wherever they stand, and leaves other bytes alone`, () => {
    const blobs = new FakeBlobs()
    const [first, second] = [blobs.create(3), blobs.create(4)]
    const lookalike = new Uint8Array(codec.name === 'msgpack' ? 8 : 11)
    const value = { a: lookalike, b: [first, new Uint8Array(300), -0], c: { d: second, e: 2n ** 60n }, f: lookalike }
    const frame = codec.encode(value, blobs)
    expect(frame.length).toBeLessThan(400)
    const decoded = codec.decode(frame, { blobs }) as typeof value
    expect(decoded).toEqual(value)
    expect(decoded.b[0]).toBe(first)
    expect(decoded.c.d).toBe(second)
    expect(blobs.sent.size).toBe(0)
  })

  test(`${codec.name} takes a SharedBlob for its bytes`, () => {
    const blobs = new FakeBlobs()
    const blob = new SharedBlob(blobs.create(5))
    expect(codec.decode(codec.encode([blob], blobs), { blobs })).toEqual([blob.bytes])
    // Where none are handed over it is bytes like any other.
    expect(codec.decode(codec.encode([blob]))).toEqual([blob.bytes])
  })

  test(`${codec.name} finds the place of each among any values (fast-check)`, () => {
    const blobs = new FakeBlobs()
    const bytes = fc.uint8Array({ maxLength: 20 })
    const blob = fc.integer({ min: 1, max: 50 }).map((length) => ({ length }))
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        bytes,
        blob,
        fc.string(),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        tie('list'),
        tie('record'),
      ),
      list: fc.array(tie('tree'), { maxLength: 5 }),
      record: fc.dictionary(fc.string(), tie('tree'), { maxKeys: 5 }),
    }))
    fc.assert(
      fc.property(tree, (shape) => {
        const value = withBlobs(shape, blobs)
        const decoded = codec.decode(codec.encode(value, blobs), { blobs })
        expect(decoded).toEqual(value)
        expect([blobs.sent.size, blobs.made.size]).toEqual([0, 0])
      }),
      { numRuns: 1_000 },
    )
  })

  test(`${codec.name} hands nothing over when the value cannot be written`, () => {
    const blobs = new FakeBlobs()
    const bytes = blobs.create(3)
    expect(() => codec.encode([bytes, { a: Number.NaN }], blobs)).toThrow(TypeError)
    expect(blobs.has(bytes)).toBe(true)
  })

  test(`${codec.name} refuses names where no blobs can have come, of none that came, and of one twice`, () => {
    const blobs = new FakeBlobs()
    const frame = codec.encode([blobs.create(3)], blobs)
    expect(() => codec.decode(frame)).toThrow(/bad_frame/)
    const twice = Buffer.concat([
      Buffer.from([codec.name === 'msgpack' ? 0x92 : 0x82]),
      frame.subarray(1),
      frame.subarray(1),
    ])
    expect(() => codec.decode(twice, { blobs })).toThrow(/bad_frame.*no blob/)
    expect(() => codec.decode(frame, { blobs })).toThrow(/bad_frame.*no blob/)
    for (let end = 1; end < frame.length; end++)
      expect(() => codec.decode(frame.subarray(0, end), { blobs })).toThrow(/bad_frame/)
  })

  test(`${codec.name} refuses one that stands twice before any is handed over`, () => {
    const blobs = new FakeBlobs()
    const bytes = blobs.create(3)
    expect(() => codec.encode({ a: [blobs.create(4), bytes], b: bytes }, blobs)).toThrow(/b is a blob.* twice/)
    expect(blobs.sent.size).toBe(0)
    expect(codec.decode(codec.encode([bytes], blobs), { blobs })).toEqual([bytes])
  })

  test(`${codec.name} gives back those that raw bytes name`, () => {
    const blobs = new FakeBlobs()
    const frame = codec.encode([1, blobs.create(3), blobs.create(4)], blobs)
    const [, , second] = codec.decode(frame, { blobs, rawItem: 1 }) as unknown[]
    expect(second).toEqual(new Uint8Array(4).fill(4))
    expect(blobs.sent.size).toBe(0)
  })

  test(`${codec.name} refuses bytes whose memory is gone`, () => {
    const bytes = new Uint8Array(10)
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
    expect(() => codec.encode({ pixels: bytes })).toThrow(
      /pixels is bytes that were handed over before, or transferred/,
    )
    expect(codec.decode(codec.encode(new Uint8Array(0)))).toEqual(new Uint8Array(0))
  })
})

test('json carries no blobs, and says what does', () => {
  expect(() => json.encode({ a: new SharedBlob(new Uint8Array(3)) })).toThrow(/a.bytes is .*codec=msgpack/)
})

function withBlobs(shape: unknown, blobs: Blobs): unknown {
  if (Array.isArray(shape)) return shape.map((item) => withBlobs(item, blobs))
  if (typeof shape !== 'object' || shape === null || shape instanceof Uint8Array) return shape
  const { length } = shape as { length?: unknown }
  if (
    Object.keys(shape).length === 1 &&
    typeof length === 'number' &&
    length >= 1 &&
    Number.isInteger(length) &&
    length <= 50
  )
    return blobs.create(length)
  return Object.fromEntries(Object.entries(shape).map(([key, item]) => [key, withBlobs(item, blobs)]))
}
