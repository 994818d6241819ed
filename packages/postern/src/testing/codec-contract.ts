/**
 * What every codec must do, as cases that any test runner can run.
 *
 * @example
 * ```ts
 * for (const { title, run } of codecContract({ name: 'json', codec: json, unsafeInteger })) it(title, run)
 * ```
 */

import assert from 'node:assert/strict'
import type { Codec } from '../codecs/codec.ts'
import { isPosternError } from '../core/errors.ts'
import type { ContractCase } from './contract-case.ts'
import { type SeededRandom, seededRandom } from './seeded-random.ts'

/** What a codec gives to the suite. */
export interface CodecHarness {
  readonly name: string
  readonly codec: Codec
  /** The bytes of `[9007199254740993]`, that is 2^53 + 1. */
  readonly unsafeInteger: Uint8Array
  /** Promises that this codec does not make, each with the reason. */
  readonly lacks?: Partial<Record<CodecPromise, string>>
}

/** The promises of a codec. */
export type CodecPromise =
  | 'plain values'
  | 'no silent loss'
  | 'unsafe integers'
  | 'bytes and large integers'
  | 'no fault but its own'
  | 'whole frames'
  | 'no memory'
  | 'no pollution'

/** The cases. */
export function codecContract(harness: CodecHarness): readonly ContractCase[] {
  return Object.entries(promises).flatMap(([promise, cases]) => {
    const reason = harness.lacks?.[promise as CodecPromise]
    if (reason !== undefined) return [{ title: `${harness.name} lacks ${promise}: ${reason}`, run: () => undefined }]
    return Object.entries(cases).map(([title, run]) => ({ title: `${harness.name} ${title}`, run: () => run(harness) }))
  })
}

type Cases = Readonly<Record<string, (harness: CodecHarness) => void>>

const promises: Readonly<Record<CodecPromise, Cases>> = {
  'plain values': {
    'gives back every plain value as it was': ({ codec }) => {
      for (const value of plainValues) assertSame(roundTrip(codec, value), value)
    },
    'gives back 5,000 random values as they were': ({ codec }) => {
      for (let seed = 1; seed <= 5_000; seed++) {
        const value = randomValue(seededRandom(seed), 4)
        assertSame(roundTrip(codec, value), value, `seed ${seed}`)
      }
    },
    'leaves the bytes that it reads as they are': ({ codec }) => {
      const bytes = encoded(codec, { list: [1, 'two', null] })
      const before = Buffer.from(bytes)
      codec.decode(bytes)
      assert.ok(bytes.equals(before))
    },
    'takes any view of bytes': ({ codec }) => {
      const bytes = encoded(codec, ['é', 1])
      const shifted = new Uint8Array(bytes.length + 5)
      shifted.set(bytes, 3)
      assertSame(codec.decode(shifted.subarray(3, 3 + bytes.length)), ['é', 1])
    },
    'leaves out members that are undefined': ({ codec }) => {
      assertSame(roundTrip(codec, { a: undefined, b: 1 }), { b: 1 })
    },
  },
  'no silent loss': {
    'gives a value back exactly or throws a TypeError that says what and where': ({ codec }) => {
      for (const [what, make] of Object.entries(awkwardValues)) {
        for (const [path, value] of [
          ['', make()],
          ['a[1].b', { a: [0, { b: make() }] }],
        ] as const) {
          assertExactOrRefused(codec, value, `${what} ${path}`, path)
        }
      }
    },
    'refuses a cycle and nesting without end with a TypeError': ({ codec }) => {
      const cycle: Record<string, unknown> = {}
      cycle['list'] = [{ cycle }]
      let deep: unknown = []
      for (let depth = 0; depth < 100_000; depth++) deep = [deep]
      for (const value of [cycle, [cycle], deep]) assert.throws(() => codec.encode(value), TypeError)
    },
  },
  'unsafe integers': {
    'gives an unsafe integer as the reader asks, and by default as a bigint': ({ codec, unsafeInteger }) => {
      assertSame(codec.decode(unsafeInteger), [9_007_199_254_740_993n])
      assertSame(codec.decode(unsafeInteger, { integers: 'bigint' }), [9_007_199_254_740_993n])
      assertSame(codec.decode(unsafeInteger, { integers: 'number' }), [9_007_199_254_740_992])
      assert.throws(() => codec.decode(unsafeInteger, { integers: 'error' }), isBadMessage)
    },
    'gives a safe integer as a number, however the reader asks': ({ codec }) => {
      const values = [0, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]
      for (const integers of ['bigint', 'number', 'error'] as const) {
        assertSame(codec.decode(encoded(codec, values), { integers }), values)
      }
    },
  },
  'bytes and large integers': {
    'gives bytes back as a Uint8Array on a buffer of exactly their length': ({ codec }) => {
      for (const length of [0, 1, 23, 24, 255, 256, 70_000]) {
        const bytes = new Uint8Array(length).map((_, index) => index)
        for (const given of [bytes, Buffer.from(bytes), new Uint8Array([1, 2, 3, ...bytes]).subarray(3)]) {
          const back = roundTrip(codec, { list: [given], text: 'é' }) as { list: [Uint8Array] }
          assertSame(back, { list: [bytes], text: 'é' }, `${length} bytes`)
          assert.equal(back.list[0].buffer.byteLength, length)
        }
      }
    },
    'gives bytes back that do not change with the frame': ({ codec }) => {
      const frame = encoded(codec, [new Uint8Array([1, 2, 3])])
      const back = codec.decode(frame)
      frame.fill(0)
      assertSame(back, [new Uint8Array([1, 2, 3])])
    },
    'gives every integer of 64 bits back, the unsafe ones as bigint': ({ codec }) => {
      const edges = [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n]
      const integers = [...edges, ...[2n ** 53n, 2n ** 53n + 1n, 2n ** 63n].map((edge) => -edge)]
      assertSame(roundTrip(codec, integers), integers)
      for (const integer of integers) {
        assertSame(roundTrip(codec, { a: { integer } }), { a: { integer } })
        assertSame(codec.decode(encoded(codec, integer), { integers: 'number' }), Number(integer))
        assert.throws(() => codec.decode(encoded(codec, integer), { integers: 'error' }), isBadMessage)
      }
      for (const integer of [2n ** 64n, -(2n ** 63n) - 1n]) assert.throws(() => codec.encode([integer]), TypeError)
    },
  },
  'no fault but its own': {
    'throws nothing but a PosternError at 10,000 damaged frames and random bytes': ({ codec }) => {
      for (let seed = 1; seed <= 10_000; seed++) {
        const random = seededRandom(seed)
        const bytes = seed % 4 === 0 ? random.bytes(random.below(60)) : damaged(codec, random)
        try {
          codec.decode(bytes, { integers: random.pick(['bigint', 'number', 'error']) })
        } catch (error) {
          assert.ok(isPosternError(error), `seed ${seed}: ${String(error)}`)
        }
      }
    },
    'throws nothing but a PosternError at deep nesting': ({ codec }) => {
      let deep: unknown = []
      for (let depth = 0; depth < 500; depth++) deep = [deep]
      const [front, back] = halves(encoded(codec, deep))
      for (const times of [1, 1_000]) {
        const bytes = Buffer.concat([
          ...Array.from({ length: times }, () => front),
          ...Array.from({ length: times }, () => back),
        ])
        try {
          codec.decode(bytes)
        } catch (error) {
          assert.ok(isPosternError(error), String(error))
        }
      }
    },
  },
  'whole frames': {
    'refuses every beginning of a frame': ({ codec }) => {
      const bytes = encoded(codec, { list: [1, 'two', { three: [null, true] }], text: 'é' })
      for (let end = 0; end < bytes.length; end++) {
        assert.throws(() => codec.decode(bytes.subarray(0, end)), isBadFrame, `${end} of ${bytes.length} bytes`)
      }
    },
    'refuses a frame with something behind its value': ({ codec }) => {
      const bytes = encoded(codec, { a: 1 })
      assert.throws(() => codec.decode(Buffer.concat([bytes, bytes])), isBadFrame)
    },
  },
  'no memory': {
    'reads a frame the same whatever came before': ({ codec, unsafeInteger }) => {
      const bytes = encoded(codec, { list: ['x', 1, { y: null }] })
      const first = codec.decode(bytes)
      for (const before of [
        bytes.subarray(0, bytes.length - 1),
        unsafeInteger,
        Buffer.from([0xc1, 0xff]),
        Buffer.alloc(0),
      ]) {
        try {
          codec.decode(before, { integers: 'error' })
        } catch {
          // What is wrong with it is not the matter here.
        }
        assertSame(codec.decode(bytes), first)
      }
    },
    'writes a value the same whatever came before': ({ codec }) => {
      const value = { list: ['x', -0, 1.5] }
      const first = encoded(codec, value)
      assert.throws(() => codec.encode({ wrong: () => undefined }), TypeError)
      assert.ok(encoded(codec, value).equals(first))
    },
  },
  'no pollution': {
    'gives the names of prototypes back as members, and leaves every prototype alone': ({ codec }) => {
      const before = Object.getOwnPropertyNames(Object.prototype)
      for (const name of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'then']) {
        const value: unknown = JSON.parse(`{"a":{"${name}":{"polluted":true}},"${name}":[1]}`)
        const back = roundTrip(codec, value)
        assertSame(back, value, name)
        assert.ok(Object.hasOwn(back as object, name))
        assert.equal(Object.getPrototypeOf(back), Object.prototype)
      }
      assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
      assert.deepEqual(Object.getOwnPropertyNames(Object.prototype), before)
    },
  },
}

const plainValues: readonly unknown[] = [
  null,
  true,
  false,
  '',
  'text',
  'é日本\u{1f511}\u0000\u001f"\\/\u2028\ufeff\ufffd',
  ...[0, -0, 1, -1, 127, 128, 255, 256, -128, -129, 65_535, 65_536, 2 ** 31, -(2 ** 31) - 1, 2 ** 32, 2 ** 53 - 1],
  ...[2 ** 53, -(2 ** 53), 2 ** 53 + 2, 2 ** 60, 31_724_922_858_711_472, 1e17, 2 ** 64, 999_999_999_999_999_900_000],
  ...[0.1, -1.5, 1e21, 1e-7, 5e-324, Number.MAX_VALUE, -Number.MAX_VALUE, Math.PI, 1 / 3, 1e300],
  [],
  {},
  [[], [[]], {}],
  { a: { b: { c: [1, { d: null }] } } },
  { '': 1, ' ': 2, 'a.b': 3, '\u{1f511}': 4, '"\\': 5 },
  Array.from({ length: 1_000 }, (_, index) => index),
  Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`key ${index}`, index])),
  'x'.repeat(100_000),
  // What decoders of UTF-8 like to drop.
  { '\ufeff': '\ufeff', ['\ufeff'.repeat(50)]: `\ufeff${'x'.repeat(100)}` },
]

class Point {
  readonly x = 1
  readonly y = 2
}

/** What a codec must not turn into something else without a word. Each is made anew, since walking it may change it. */
const awkwardValues: Readonly<Record<string, () => unknown>> = {
  NaN: () => Number.NaN,
  Infinity: () => Number.POSITIVE_INFINITY,
  '-Infinity': () => Number.NEGATIVE_INFINITY,
  'an undefined item': () => [undefined],
  'a hole': () => Array(1),
  'a function': () => () => 1,
  'a symbol': () => Symbol('s'),
  'a bigint': () => 1n,
  'a large bigint': () => 2n ** 64n,
  'a Map': () => new Map([['a', 1]]),
  'a Set': () => new Set([1]),
  'a WeakMap': () => new WeakMap(),
  'an Error': () => new Error('lost'),
  'a RegExp': () => /x/,
  'a Promise': () => Promise.resolve(1),
  'a Uint8Array': () => new Uint8Array([1, 2]),
  'a Float64Array': () => new Float64Array([1.5]),
  'an ArrayBuffer': () => new ArrayBuffer(2),
  'a DataView': () => new DataView(new ArrayBuffer(2)),
  'an invalid Date': () => new Date(Number.NaN),
  'a boxed number': () => Object(1),
  'a boxed string': () => Object('text'),
  'a generator': () => (function* () {})(),
  'a toJSON that gives NaN': () => ({ toJSON: () => Number.NaN }),
  'a toJSON that gives undefined': () => ({ toJSON: () => undefined }),
  'a toJSON that gives a Map': () => ({ toJSON: () => new Map() }),
}

function encoded(codec: Codec, value: unknown): Buffer {
  return Buffer.from(codec.encode(value) as string)
}

function roundTrip(codec: Codec, value: unknown): unknown {
  return codec.decode(encoded(codec, value))
}

function assertSame(got: unknown, expected: unknown, what?: string): void {
  assert.deepStrictEqual(got, expected, what)
}

function assertExactOrRefused(codec: Codec, value: unknown, what: string, path: string): void {
  let bytes: Buffer
  try {
    bytes = encoded(codec, value)
  } catch (error) {
    assert.ok(error instanceof TypeError, `${what}: ${String(error)}`)
    assert.ok(error.message.includes(path), `${what} stands at ${path}, says: ${error.message}`)
    return
  }
  assertSame(codec.decode(bytes), value, what)
}

/** A value of the kinds that every codec carries. */
function randomValue(random: SeededRandom, depth: number): unknown {
  const kind = random.below(depth > 0 ? 8 : 6)
  const size = random.below(5)
  switch (kind) {
    case 0:
      return random.pick([null, true, false])
    case 1:
      return random.below(2 ** 32) - 2 ** 31
    case 2:
      return random.fraction() * 10 ** (random.below(600) - 300)
    case 3:
      return Math.floor(random.fraction() * 2 ** random.below(54)) * random.pick([1, -1])
    case 4:
      return Math.floor(random.fraction() * 2 ** 70)
    case 5:
      return randomText(random)
    case 6:
      return Array.from({ length: size }, () => randomValue(random, depth - 1))
    default:
      return Object.fromEntries(
        Array.from({ length: size }, () => [randomText(random), randomValue(random, depth - 1)]),
      )
  }
}

function randomText(random: SeededRandom): string {
  const letters = [
    'a',
    'Z',
    '0',
    ' ',
    '"',
    '\\',
    '/',
    '\n',
    '\u0000',
    '\u007f',
    'é',
    '日',
    '\u2028',
    '\u{1f511}',
    '\ufffd',
  ]
  return Array.from({ length: random.below(12) }, () => random.pick(letters)).join('')
}

function damaged(codec: Codec, random: SeededRandom): Buffer {
  const bytes = Buffer.from(encoded(codec, randomValue(random, 4)))
  for (let times = random.below(4); times >= 0 && bytes.length > 0; times--) {
    bytes[random.below(bytes.length)] = random.pick([random.below(256), 0x22, 0x5c, 0x7b, 0x5d, 0xff, 0xc1])
  }
  return bytes.subarray(0, bytes.length - random.below(3))
}

/** The first and the second half of the bytes. */
function halves(bytes: Buffer): [Buffer, Buffer] {
  const middle = bytes.length / 2
  return [bytes.subarray(0, middle), bytes.subarray(middle)]
}

function isBadMessage(error: unknown): boolean {
  return isPosternError(error, 'bad_message')
}

function isBadFrame(error: unknown): boolean {
  return isPosternError(error, 'bad_frame')
}
