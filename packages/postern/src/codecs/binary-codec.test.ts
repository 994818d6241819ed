import assert from 'node:assert/strict'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { binaryCodec } from './binary-codec.ts'
import { cbor } from './cbor.ts'
import { type BinaryCodec, type DecodeOptions, RawValue } from './codec.ts'
import { msgpack } from './msgpack.ts'
import { msgpackFormat } from './msgpack-scanner.ts'

const titles = { msgpack: 'MessagePack', cbor: 'CBOR' } as const

const wellFormed = 'replace what is broken, as with toWellFormed()'

function members(count: number): object {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`name ${index}`, index]))
}

class Account {
  readonly name = 'a'
  readonly missing = undefined
  #secret = 1
  get secret(): number {
    return this.#secret
  }
}

class Names extends Array<string> {}

/** Members of any name, `__proto__` among them. */
function anyObject(...entries: readonly (readonly [string, unknown])[]): unknown {
  return JSON.parse(`{${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`)
}

describe.each([msgpack, cbor])('$name', (codec) => {
  const title = titles[codec.name as 'msgpack' | 'cbor']
  const roundTrip = (value: unknown, options?: DecodeOptions): unknown => codec.decode(codec.encode(value), options)

  test(`${codec.name} gives back every JSON value exactly (fast-check)`, () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'grapheme' }), (value) => {
        expect(roundTrip(value)).toStrictEqual(value)
      }),
      { numRuns: 3_000 },
    )
  })

  test.each([
    ['a Date', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['an object with toJSON', { toJSON: (key: string) => `at ${key}` }, 'at '],
    ['toJSON, told its key', { a: [{ toJSON: (key: string) => key }] }, { a: ['0'] }],
    ['toJSON that gives -0', [{ toJSON: () => -0 }], [-0]],
    ['toJSON that gives bytes', [{ toJSON: () => Buffer.from('a') }], [new Uint8Array([97])]],
    ['toJSON that gives an object with toJSON', { toJSON: () => ({ toJSON: 1 }) }, { toJSON: 1 }],
    ['an instance of a class by its members', new Account(), { name: 'a' }],
    ['an instance of a class of arrays', [Names.from(['a', 'b']), 1], [['a', 'b'], 1]],
    ['an object without prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    [
      'objects of another context',
      runInNewContext('({ a: [1, [-0]], b: new Uint8Array([7]) })'),
      { a: [1, [-0]], b: new Uint8Array([7]) },
    ],
    ['no member that is inherited', Object.assign(Object.create({ inherited: 1 }), { a: 1 }), { a: 1 }],
    ['the same object twice', ((shared) => [shared, shared])({ a: -0 }), [{ a: -0 }, { a: -0 }]],
    [
      '-0, among zeros',
      [0, -0, { a: -0, b: 0 }, '-0', new Uint8Array(9)],
      [0, -0, { a: -0, b: 0 }, '-0', new Uint8Array(9)],
    ],
    ['-0 alone', -0, -0],
    ['members without undefined ones', { a: undefined, b: [{ c: undefined }], d: -0 }, { b: [{}], d: -0 }],
    [
      'undefined members called like prototypes',
      anyObject(['__proto__', 2 ** 40], ['a', 1]),
      anyObject(['__proto__', 2 ** 40], ['a', 1]),
    ],
    ['no member that a symbol names', { [Symbol('s')]: 1, a: 2 }, { a: 2 }],
    [
      'a member called constructor',
      { constructor: { name: 'Map' }, hasOwnProperty: 1 },
      { constructor: { name: 'Map' }, hasOwnProperty: 1 },
    ],
    ['a bigint beside its number', [2 ** 53, 2n ** 53n], [2 ** 53, 2n ** 53n]],
    ['one large member', { at: 1_700_000_000_000 }, { at: 1_700_000_000_000 }],
  ])(`${codec.name} takes %s`, (_, value, back) => {
    assert.deepStrictEqual(roundTrip(value), back)
  })

  test(`${codec.name} leaves what it writes as it was`, () => {
    const inner = Object.freeze({ at: new Date(0), zero: -0, none: undefined, large: 2 ** 40 })
    const value = Object.freeze([Object.freeze([1, inner]), Object.freeze({ inner })])
    expect(roundTrip(value)).toStrictEqual([
      [1, { at: '1970-01-01T00:00:00.000Z', zero: -0, large: 2 ** 40 }],
      { inner: { at: '1970-01-01T00:00:00.000Z', zero: -0, large: 2 ** 40 } },
    ])
  })

  test.each([
    [undefined, 'the value is undefined', 'send it as a string'],
    [Number.NaN, 'the value is NaN', 'send it as a string'],
    [[1, Number.NEGATIVE_INFINITY], '[1] is -Infinity', 'send it as a string'],
    [[[undefined]], '[0][0] is undefined', 'send it as a string'],
    [[1, , 3], '[1] is undefined', 'send it as a string'],
    [{ a: () => 1 }, 'a is a function', 'send it as a string'],
    [{ a: Symbol('s') }, 'a is a symbol', 'send it as a string'],
    [{ a: { b: [{ c: 1n }] } }, 'a.b[0].c is the bigint 1', 'send it as a number, which it would come back as'],
    [-(2n ** 53n) + 1n, 'the value is the bigint -9007199254740991', 'send it as a number'],
    [2n ** 64n, 'the value is the bigint 18446744073709551616', 'send it as a string'],
    [10n ** 99n, `the value is the bigint ${10n ** 39n}…`, 'send it as a string'],
    [new Map(), 'the value is a Map', 'send it as a string'],
    [{ a: new Set() }, 'a is a Set', 'send it as a string'],
    [{ a: new Error('x') }, 'a is a Error', 'send it as a string'],
    [[new Float64Array(1)], '[0] is a Float64Array', 'send its bytes as a Uint8Array'],
    [new Uint8ClampedArray(1), 'the value is a Uint8ClampedArray', 'send its bytes as a Uint8Array'],
    [new DataView(new ArrayBuffer(1)), 'the value is a DataView', 'send its bytes as a Uint8Array'],
    [new ArrayBuffer(1), 'the value is a ArrayBuffer', 'send it as a string'],
    [[new Date(Number.NaN)], '[0] is an invalid Date', 'send it as a string'],
    [{ at: { toJSON: () => ({ b: [Number.NaN] }) } }, 'at.b[0] is NaN', 'send it as a string'],
    [{ at: { toJSON: () => new Date(0) } }, 'at is a Date', 'send it as a string'],
    [['\ud800'], '[0] is text with half a surrogate pair', wellFormed],
    [{ a: 'x'.repeat(99) + '\udc00' }, 'a is text with half a surrogate pair', wellFormed],
    [{ a: { '\ud800': 1 } }, 'a is an object with half a surrogate pair in a name', wellFormed],
  ])(`${codec.name} refuses %s and says where it is`, (value, where, advice) => {
    expect(() => codec.encode(value)).toThrow(TypeError)
    expect(() => codec.encode(value)).toThrow(`${where}, which ${title} cannot carry; ${advice}`)
  })

  test(`${codec.name} takes deep nesting, refuses deeper, and keeps the path readable`, () => {
    const nested = (depth: number): unknown => (depth === 0 ? -0 : { deeper: nested(depth - 1) })
    expect(roundTrip(nested(512))).toEqual(nested(512))
    expect(() => codec.encode(nested(513))).toThrow('nested deeper than 512, or contains itself (a cycle)')
    expect(() => codec.encode(nested(513))).toThrow(/^.{1,500}$/)
  })

  test(`${codec.name} lets what a toJSON throws through`, () => {
    const failure = new RangeError('mine')
    const value = {
      toJSON: () => {
        throw failure
      },
    }
    expect(() => codec.encode([value])).toThrow(failure)
  })

  test(`${codec.name} holds on to no more memory than its frames need`, () => {
    for (const length of [100, 100_000, 1_000_000]) {
      const frame = codec.encode([new Uint8Array(length)])
      expect(frame.buffer.byteLength).toBeLessThanOrEqual(Math.max(64 * 1024, frame.length))
      expect(codec.encode([1]).buffer.byteLength).toBeLessThanOrEqual(64 * 1024)
    }
  })

  test(`${codec.name} keeps frames apart that it writes one after the other`, () => {
    const values = Array.from({ length: 3_000 }, (_, index) => ({ index, text: 'x'.repeat(index % 50) }))
    const frames = values.map((value) => codec.encode(value))
    expect(frames.map((frame) => codec.decode(frame))).toEqual(values)
  })

  test(`${codec.name} names the limit that a frame is over`, () => {
    const nested = codec.encode([[[]], { a: [{}] }])
    for (const [limit, value, words] of [
      ['maxDepth', 3, 'nesting deeper than 3 exceeds limits.maxDepth (3)'],
      [
        'maxContainers',
        5,
        'more than 5 objects, arrays, byte strings and members of large objects exceeds limits.maxContainers (5)',
      ],
    ] as const) {
      expect(() => codec.decode(nested, { [limit]: value })).toThrow(`[limit_exceeded] ${words}`)
      expect(() => codec.decode(nested, { [limit]: value })).toThrow(
        expect.objectContaining({ details: { limit, value } }),
      )
    }
    expect(codec.decode(nested, { maxDepth: 4, maxContainers: 6 })).toEqual([[[]], { a: [{}] }])
  })

  test.each([
    ['a byte string', 2, [new Uint8Array(0)]],
    ['byte strings of every length', 4, [new Uint8Array(1), new Uint8Array(300), new Uint8Array(70_000)]],
    ['bytes in an object', 3, [{ a: new Uint8Array(2) }]],
    ['bytes beside a byte order mark', 3, [[`\ufeff${'x'.repeat(100)}`, new Uint8Array(2)]]],
    ['scalars and text', 1, [1, 2n ** 60n, 1.5, true, null, 'x'.repeat(300)]],
    ['127 members', 1, members(127)],
    ['128 members', 129, members(128)],
    ['members of two large objects', 259, [members(128), members(128)]],
    ['members of many small objects', 1_001, Array.from({ length: 1_000 }, () => ({ a: 1, b: 2 }))],
  ])(`${codec.name} counts %s against maxContainers: %d`, (_what, count, value) => {
    const frame = codec.encode(value)
    expect(codec.decode(frame, { maxContainers: count })).toEqual(value)
    expect(codec.decode(frame, { maxContainers: count + 1 })).toEqual(value)
    expect(() => codec.decode(frame, { maxContainers: count - 1 })).toThrow(
      expect.objectContaining({ code: 'limit_exceeded', details: { limit: 'maxContainers', value: count - 1 } }),
    )
  })

  test(`${codec.name} refuses nesting without end before any of it is decoded`, () => {
    const list = codec.encode([[]]).subarray(0, 1)
    const map = codec.encode({ a: 1 }).subarray(0, -1)
    for (const header of [list, map]) {
      const bomb = Buffer.concat(Array.from({ length: 100_000 }, () => header))
      expect(() => codec.decode(bomb)).toThrow('[limit_exceeded] nesting deeper than 512 is not decoded')
      expect(() => codec.decode(bomb, { maxDepth: 64 })).toThrow('exceeds limits.maxDepth (64)')
      expect(() => codec.decode(bomb, { maxContainers: 9 })).toThrow('exceeds limits.maxContainers (9)')
    }
  })

  test(`${codec.name} finds two members of one name among 100,000, and names of one length apart`, () => {
    const members = Array.from({ length: 100_000 }, (_, index) => [`key ${100_000 + index}`, index] as const)
    const whole = Buffer.from(codec.encode(Object.fromEntries(members)))
    expect(Object.keys(codec.decode(whole) as object)).toHaveLength(100_000)
    whole.write('key 100000', whole.indexOf('key 150000'))
    expect(() => codec.decode(whole)).toThrow('has a map with two members of one name')
  })

  test(`${codec.name} finds two members called __proto__, and none of what a library makes of it`, () => {
    const both = anyObject(['__proto__', { a: 1 }], ['__proto_', 2], ['x__proto__', [1]])
    expect(roundTrip(both)).toStrictEqual(both)
    const twice = Buffer.from(codec.encode(anyObject(['__proto__', 1], ['__prot0__', 2])))
    twice.write('__proto__', twice.indexOf('__prot0__'))
    expect(() => codec.decode(twice)).toThrow('has a map with two members of one name')
  })

  test(`${codec.name} keeps byte order marks, beside bytes that begin so`, () => {
    for (const length of [64, 65, 66, 255, 256, 300, 65_535, 70_000]) {
      const text = `\ufeff${'x'.repeat(length - 3)}`
      const bytes = new Uint8Array(Buffer.from(text))
      const value = { [text]: [text, bytes, 2n ** 60n, 1], bytes, at: 2 ** 40, inner: { [text]: {} } }
      const back = roundTrip(value) as { bytes: Uint8Array }
      expect(back).toStrictEqual(value)
      expect(back.bytes.buffer.byteLength).toBe(length)
    }
  })

  describe('rawItem', () => {
    const value = [1, 'two', { three: [2n ** 60n, new Uint8Array(2)] }, null, -0]

    test.each([0, 1, 2, 3, 4])(`${codec.name} leaves the bytes of item %i as they are`, (rawItem) => {
      const frame = codec.encode(value)
      const items = codec.decode(frame, { rawItem }) as unknown[]
      const raw = items[rawItem] as RawValue
      expect(raw).toBeInstanceOf(RawValue)
      expect(Buffer.from(raw.bytes).equals(codec.encode(value[rawItem]))).toBe(true)
      expect(raw.bytes.buffer.byteLength).toBe(raw.bytes.length)
      expect(codec.decode(raw.bytes)).toStrictEqual(value[rawItem])
      expect(items.with(rawItem, value[rawItem])).toStrictEqual(value)
    })

    test(`${codec.name} decodes whole what has no such item`, () => {
      for (const other of [value, [], [[1, 2, 3, 4, 5, [6]]], { a: [1] }, 'text']) {
        expect(codec.decode(codec.encode(other), { rawItem: 5 })).toStrictEqual(other)
      }
    })

    test(`${codec.name} checks the item that it leaves, and reads the others as it is asked to`, () => {
      const frame = Buffer.from(codec.encode([2n ** 60n, 'text']))
      expect(() => codec.decode(frame, { rawItem: 1, integers: 'error' })).toThrow(
        '[bad_message] the integer 1152921504606846976',
      )
      expect(codec.decode(frame, { rawItem: 0, integers: 'error' })).toEqual([expect.any(RawValue), 'text'])
      frame.fill(0xff, frame.length - 1)
      expect(() => codec.decode(frame, { rawItem: 1 })).toThrow('not valid UTF-8')
    })
  })

  test(`${codec.name} never throws when it peeks, and sees what is there`, () => {
    const integers = [0, 1, 255, 65_536, 2 ** 32 - 1, 2 ** 40, -1, -200, -70_000, -(2 ** 40)]
    const frame = codec.encode([...integers, 'text'])
    expect(codec.peekIntegers(frame)).toEqual(integers)
    for (let end = 0; end < frame.length; end++) {
      const seen = codec.peekIntegers(frame.subarray(0, end))
      expect(seen).toEqual(integers.slice(0, seen.length))
    }
    fc.assert(fc.property(fc.uint8Array(), (head) => void codec.peekIntegers(head)))
  })
})

describe('a library that fails', () => {
  const failure = new Error('out of memory')
  const fail = (): never => {
    throw failure
  }
  const library = { encode: fail, decode: fail, decodeMaps: fail, useBuffer: () => undefined }
  const codec: BinaryCodec = binaryCodec({ name: 'msgpack', format: msgpackFormat, library, peekIntegers: () => [] })

  test('binaryCodec says so with the cause', () => {
    expect(() => codec.encode([1])).toThrow('[frame_too_large] a frame has more bytes than a buffer can hold')
    expect(() => codec.decode(Buffer.from([0x90]))).toThrow(
      expect.objectContaining({ code: 'bad_frame', cause: failure }),
    )
  })
})

describe('loadBinaryCodec', () => {
  afterEach(() => {
    vi.doUnmock('msgpackr/pack')
    vi.doUnmock('cbor-x/encode')
    vi.resetModules()
  })

  test('loadBinaryCodec gives the codec of the name', async () => {
    const { loadBinaryCodec } = await import('./load-codec.ts')
    expect(await loadBinaryCodec('msgpack')).toBe(msgpack)
    expect(await loadBinaryCodec('cbor')).toBe(cbor)
  })

  test.each([
    ['msgpack', 'msgpackr', 'msgpackr/pack'],
    ['cbor', 'cbor-x', 'cbor-x/encode'],
  ] as const)('loadBinaryCodec says what %s needs', async (name, peer, part) => {
    vi.resetModules()
    vi.doMock(part, () => {
      throw new Error('not found')
    })
    const { loadBinaryCodec } = await import('./load-codec.ts')
    await expect(loadBinaryCodec(name)).rejects.toThrow(
      `[missing_dependency] codec=${name} needs the package "${peer}" (npm install ${peer})`,
    )
  })

  test('postern/codecs loads without either package', async () => {
    vi.resetModules()
    const loaded = vi.fn(() => ({}))
    vi.doMock('msgpackr/pack', loaded)
    vi.doMock('cbor-x/encode', loaded)
    expect(await import('./index.ts')).toHaveProperty('loadBinaryCodec')
    expect(loaded).not.toHaveBeenCalled()
  })
})
