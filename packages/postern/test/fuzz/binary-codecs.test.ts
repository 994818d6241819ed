/**
 * Damaged frames against the decoders of MessagePack and CBOR: nothing may be thrown but the errors that they promise, a
 * library must take all that the scan passes, and what is decoded must be what a plain decoder reads, and be written and
 * read as the same.
 */

import assert from 'node:assert/strict'
import { type BinaryFormat, BinaryScan } from '../../src/codecs/binary-scan.ts'
import { cbor } from '../../src/codecs/cbor.ts'
import { cborFormat } from '../../src/codecs/cbor-scanner.ts'
import { type BinaryCodec, RawValue } from '../../src/codecs/codec.ts'
import { msgpack } from '../../src/codecs/msgpack.ts'
import { msgpackFormat } from '../../src/codecs/msgpack-scanner.ts'
import type { ErrorCode } from '../../src/core/errors.ts'
import type { SeededRandom } from '../../src/testing/seeded-random.ts'
import { referenceCbor, referenceMsgpack } from './binary-reference.ts'
import { fuzz, outcome } from './fuzz.ts'
import { mutated } from './mutator.ts'

const codes: readonly ErrorCode[] = ['bad_frame', 'bad_message', 'limit_exceeded']

const long = `\ufeff${'x'.repeat(70)}`

const values: readonly unknown[] = [
  [0, 1, 'node.info', [{ a: 1, b: [null, true] }]],
  [1, 7, null, { structLogs: [{ pc: 0, op: 'PUSH1', stack: ['0x1', new Uint8Array([1, 2, 3])] }] }],
  [1, 2 ** 32 - 1, [-32_601, 'unknown method', { method: 'é日本\u{1f511}' }], null],
  [2, 'tick', [Number.MAX_SAFE_INTEGER, -129, 1.5, -0, 2n ** 60n, -(2n ** 63n), 2n ** 64n - 1n, 1e300]],
  JSON.parse('{"__proto__":{"a":1},"constructor":{"prototype":[1]},"":2,"__proto_":3}'),
  [[[[[[]]]]], {}, { a: {}, b: [{}] }],
  { [long]: long, bytes: new Uint8Array(Buffer.from(long)), at: 1_700_000_000_000 },
  Array.from({ length: 30 }, (_, index) => index * 300),
  Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`key ${index}`, index])),
  // Texts and names of all lengths that are read in ways of their own.
  ...[3, 15, 16, 31, 32, 64, 65, 139].map((length) => ({
    ['k'.repeat(length)]: ['x'.repeat(length), 'é'.repeat(length), `${'x'.repeat(length)}\u{1f511}`],
    [`${'é'.repeat(length >> 1)}`]: `\ufeff${'日'.repeat(length >> 2)}`,
  })),
]

const fromHex = (all: readonly string[]): Buffer[] => all.map((hex) => Buffer.from(hex, 'hex'))

/** Items that take the place of others: at the edges of what is allowed, or beyond. */
const msgpackItems = fromHex([
  ...['c0', 'c1', 'c3', '80', '90', '81a16101', '82a16101a16102', 'a9' + Buffer.from('__proto__').toString('hex')],
  ...[
    'cf0020000000000000',
    'd3ffdfffffffffffff',
    'd300000000000000ff',
    'ca7fc00000',
    'cb8000000000000000',
    'ca3f800000',
  ],
  ...[
    'c403010203',
    'c60000000107',
    'd47240',
    '91d4724091a161',
    'd6ff00000001',
    'd7ff003d090000000001',
    'd7ff0000000500000000',
  ],
  ...['c70cff00000000000007dba8218000', 'ddffffffff', 'dfffffffff', 'dbffffffff', 'dd0000000101', 'df00000001d9016105'],
])

const cborItems = fromHex([
  ...['f6', 'f7', 'f5', 'a0', '80', 'a1616101', 'a2616101616102', '69' + Buffer.from('__proto__').toString('hex')],
  ...[
    '1b0020000000000000',
    '3b0020000000000000',
    '1b00000000000000ff',
    '3bffffffffffffffff',
    'f97e00',
    'fb8000000000000000',
  ],
  ...[
    'f93c00',
    'fa3f800000',
    '43010203',
    '5a0000000107',
    'c2420100',
    'c11a514b67b0',
    'd9dfff8419e000816161',
    '9f01ff',
    'ff',
    'f8ff',
  ],
  ...['9affffffff', 'baffffffff', '7bffffffffffffffff', '9b000000000000000101', 'b90001780161f4', '1c', '5f'],
])

interface Span {
  readonly start: number
  readonly end: number
}

/** Where the items of a frame stand, as far as it can be followed. */
function itemsOf(bytes: Buffer, format: BinaryFormat): readonly Span[] {
  const spans: Span[] = []
  const item = (scan: BinaryScan): void => {
    const { position: start } = scan
    const place = spans.push({ start, end: bytes.length }) - 1
    format.item(scan)
    spans[place] = { start, end: scan.position }
  }
  outcome(() => new BinaryScan({ ...format, item }, bytes).run(), codes)
  return spans
}

/** Mostly whole items are exchanged, so that most of a frame is still one. */
function mutation(format: BinaryFormat, items: readonly Buffer[]) {
  return (corpus: readonly Buffer[], random: SeededRandom): Buffer => {
    if (random.below(4) === 0) return mutated(corpus, random)
    let bytes = random.pick(corpus)
    for (let times = 1 + random.below(3); times > 0; times--) {
      const spans = itemsOf(bytes, format)
      if (spans.length === 0) break
      const { start, end } = random.pick(spans)
      const other = random.pick(corpus)
      const from = random.pick(itemsOf(other, format))
      const by = random.pick([
        random.pick(items),
        other.subarray(from.start, from.end),
        random.bytes(1),
        Buffer.alloc(0),
      ])
      const behind = random.below(6) === 0 ? start + 1 : end
      bytes = Buffer.concat([bytes.subarray(0, start), by, bytes.subarray(behind)])
    }
    return Buffer.from(bytes.subarray(0, 600))
  }
}

/** Decodes with no error of a library's own, which has a cause. */
function decodeWhole(codec: BinaryCodec, bytes: Buffer): unknown {
  try {
    return codec.decode(bytes)
  } catch (error) {
    assert.equal((error as Error).cause, undefined)
    throw error
  }
}

/** Dates are written as JSON writes them. */
function withoutDates(value: unknown): unknown {
  if (value instanceof Date) return value.toJSON()
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  if (Array.isArray(value)) return value.map(withoutDates)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutDates(item)]))
}

/** An item that was left as it is, decodes to what stands in the whole. */
function checkRaw(codec: BinaryCodec, bytes: Buffer, whole: readonly unknown[], rawItem: number): void {
  const items = codec.decode(bytes, { rawItem }) as unknown[]
  const raw = items[rawItem]
  if (rawItem < whole.length) {
    assert.ok(raw instanceof RawValue)
    items[rawItem] = codec.decode(raw.bytes)
  }
  assert.deepStrictEqual(items, whole)
}

for (const [codec, format, items, reference] of [
  [msgpack, msgpackFormat, msgpackItems, referenceMsgpack],
  [cbor, cborFormat, cborItems, referenceCbor],
] as const) {
  const corpus = values.map((value) => Buffer.from(codec.encode(value)))
  fuzz(
    codec.name,
    corpus,
    (bytes, random) => {
      const before = Buffer.from(bytes)
      const result = outcome(() => decodeWhole(codec, bytes), codes)
      const integers = random.pick(['number', 'error'] as const)
      outcome(() => codec.decode(bytes, { integers, maxDepth: 4, maxContainers: 6, maxNames: 3 }), codes)
      const peeked = codec.peekIntegers(bytes)
      assert.ok(bytes.equals(before))
      if ('value' in result) {
        assert.deepStrictEqual(result.value, reference(bytes))
        const value = withoutDates(result.value)
        assert.deepStrictEqual(codec.decode(codec.encode(result.value)), value)
        if (Array.isArray(result.value)) {
          checkRaw(codec, bytes, result.value, random.below(4))
          assert.deepStrictEqual(peeked, result.value.slice(0, peeked.length))
        }
      }
      return itemsOf(bytes, format).length > 1
    },
    mutation(format, items),
  )
}
