import { endianness } from 'node:os'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isPosternError } from '../core/errors.ts'
import { struct } from './struct.ts'

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** The bytes of native formats where the least byte comes first; the order of numbers is turned elsewhere. */
const littleEndian = endianness() === 'LE'

describe('struct', () => {
  test.each([
    ['', 0],
    ['<', 0],
    ['bi', 8],
    ['ib', 5],
    ['ib0i', 8],
    ['b0l', 8],
    ['<b0i', 1],
    ['=bq', 9],
    ['@bq', 16],
    ['!bh', 3],
    ['10s', 10],
    ['<10f', 40],
    ['nNP', 24],
    ['x0d', 8],
    ['< i\ti\n2h\v', 12],
    ['<00010i', 40],
    ['l', 8],
    ['<l', 4],
  ])('calculates the size of %j as Python does: %i', (format, size) => {
    expect(struct(format).size).toBe(size)
  })

  // Bytes that python3 printed.
  test.each([
    ['<I', [0xdeadbeef], 'efbeadde'],
    ['!I', [0xdeadbeef], 'deadbeef'],
    ['>h', [-2], 'fffe'],
    ['<bBhHiIlL', [-1, 255, -1, 65_535, -1, 4_294_967_295, -1, 4_294_967_295], 'ff'.repeat(22)],
    ['<qQ', [-1n, 2n ** 64n - 1n], 'ff'.repeat(16)],
    ['<q', [5], '0500000000000000'],
    ['<??', [true, false], '0100'],
    ['<3xB', [1], '00000001'],
    ['<5s', [bytesOf('ab')], '6162000000'],
    ['<2s', [bytesOf('abcdef')], '6162'],
    ['<5p', [bytesOf('ab')], '0261620000'],
    ['<2p', [bytesOf('abc')], '0161'],
    ['<0p', [bytesOf('abc')], ''],
    ['<1p', [bytesOf('abc')], '00'],
    ['3c', [bytesOf('a'), bytesOf('b'), bytesOf('c')], '616263'],
    ['<d', [1.5], '000000000000f83f'],
    ['<f', [3.4028235677973362e38], 'ffff7f7f'],
    ['<f', [-Infinity], '000080ff'],
    ['<e', [65_519.99], 'ff7b'],
    ['<e', [2 ** -25], '0000'],
    ['<e', [2 ** -25 * 1.0001], '0100'],
    ['<e', [Number.NaN], '007e'],
    ['<e', [-0], '0080'],
    ['<e', [Infinity], '007c'],
  ] as [string, (number | bigint | boolean | Uint8Array)[], string][])(
    'packs %j as Python does',
    (format, values, expected) => {
      expect(hex(struct(format).pack(values))).toBe(expected)
    },
  )

  test.runIf(littleEndian)('aligns native values, with zeros between', () => {
    expect(hex(struct('bi').pack([1, 2]))).toBe('0100000002000000')
    expect(hex(struct('P').pack([-1]))).toBe('ff'.repeat(8))
    expect(struct('P').unpack(new Uint8Array(8).fill(255))).toEqual([2n ** 64n - 1n])
  })

  test('gives back what it took', () => {
    const record = struct('!Iq?4s5pe')
    const values = [7, -(2n ** 62n), true, bytesOf('data'), bytesOf('five'), 0.5] as const
    expect(record.unpack(record.pack([...values]))).toEqual(values)
  })

  test('reads any byte but 0 as true, and a length beyond its p as all of it', () => {
    expect(struct('?').unpack(Uint8Array.of(2))).toEqual([true])
    expect(struct('<3p').unpack(Uint8Array.of(200, 1, 2))).toEqual([Uint8Array.of(1, 2)])
    expect(struct('<1p0p0s').unpack(Uint8Array.of(5))).toEqual([new Uint8Array(), new Uint8Array(), new Uint8Array()])
  })

  test('gives bytes that pin none of those they were read from', () => {
    const source = Buffer.from('.abcdef').subarray(1)
    const [text, one, pascal] = struct('<3scxp').unpack(source)
    source.fill(0)
    expect([text, one, pascal]).toEqual([bytesOf('abc'), bytesOf('d'), new Uint8Array()])
    expect([text.buffer.byteLength, one.buffer.byteLength]).toEqual([3, 1])
  })

  test('iterUnpack goes through structs that lie behind each other', () => {
    const point = struct('<hh')
    expect([...point.iterUnpack(Uint8Array.of(1, 0, 2, 0, 3, 0, 4, 0))]).toEqual([
      [1, 2],
      [3, 4],
    ])
    expect([...point.iterUnpack(new Uint8Array())]).toEqual([])
  })

  test('every half float comes back as its bits', () => {
    const half = struct('<e')
    const all = Array.from({ length: 0x10000 }, (_, bits) => Uint8Array.of(bits & 0xff, bits >> 8))
    const changed = all.filter((bytes) => {
      const [value] = half.unpack(bytes)
      return !Number.isNaN(value) && hex(half.pack([value])) !== hex(bytes)
    })
    expect(changed).toEqual([])
  })

  test('any float is rounded to one of the two half floats around it, the nearer one', () => {
    const half = struct('<e')
    fc.assert(
      fc.property(fc.double({ min: -65_519, max: 65_519, noNaN: true }), (value) => {
        const bytes = half.pack([value])
        const [rounded] = half.unpack(bytes)
        const bits = (bytes[0] as number) | ((bytes[1] as number) << 8)
        for (const other of [bits - 1, bits + 1]) {
          const [neighbour] = half.unpack(Uint8Array.of(other & 0xff, (other >> 8) & 0xff))
          if (Number.isFinite(neighbour)) {
            expect(Math.abs(rounded - value)).toBeLessThanOrEqual(Math.abs(neighbour - value))
          }
        }
      }),
    )
  })

  test('any bytes of the right length are unpacked without an error', () => {
    const formats = ['<bBhHiIqQ', '>eefd', '!3s4p?x', '@cbPnN0q']
    fc.assert(
      fc.property(
        fc.constantFrom(...formats),
        fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
        (format, random) => {
          const { size, unpack } = struct(format)
          const bytes = Uint8Array.from({ length: size }, () => random.next().value as number)
          expect(unpack(bytes).length).toBeGreaterThan(0)
        },
      ),
    )
  })
})

describe('struct refuses', () => {
  test.each([
    ['z', 'the format "z" has "z", which is no format character there; they are x c b B ? '],
    ['<<i', 'has "<", which is no format character'],
    [' <i', 'has "<", which is no format character'],
    ['-1i', 'has "-", which'],
    ['é', 'has "é", which'],
    ['i\0', 'the format "i\\u0000" has "\\u0000", which'],
    ['3', 'ends with a count, behind which a format character is missing'],
    ['i33', 'ends with a count'],
    ['3 i', 'has " ", which'],
    ['<n', 'has n, which is there in native formats only: take q or Q, or begin with @'],
    ['!P', 'has P, which is there in native formats only'],
    [5, "a format is a string, as '<10f', not of type number"],
  ])('the format %j', (format, message) => {
    expect(() => struct(format as string)).toThrow(TypeError)
    expect(() => struct(format as string)).toThrow(message)
  })

  test.each(['999999999s', '99999999999999999999i', '9999999999999999x', '8388609h', `${'9'.repeat(400)}d`])(
    'the format %s, which would take more than maxBytes',
    (format) => {
      const refusal = thrownBy(() => struct(format))
      expect(isPosternError(refusal, 'limit_exceeded')).toBe(true)
      expect((refusal as Error).message).toMatch(/makes \S+ bytes or more, which exceeds maxBytes \(16777216\)$/)
    },
  )

  test('a maxBytes that is none, and takes one that is', () => {
    expect(struct('20000000s', { maxBytes: 20_000_000 }).size).toBe(20_000_000)
    expect(thrownBy(() => struct('4s', { maxBytes: 3 }))).toMatchObject({ code: 'limit_exceeded' })
    for (const maxBytes of [-1, 1.5, Infinity, '5']) {
      expect(() => struct('i', { maxBytes: maxBytes as number })).toThrow('maxBytes is a whole number of bytes')
    }
  })

  test.each<[string, unknown, string]>([
    ['<b', 128, '128; b takes a whole number from -128 to 127'],
    ['<B', -1, '-1; B takes a whole number from 0 to 255'],
    ['<h', 1.5, '1.5; h takes a whole number from -32768 to 32767'],
    ['<H', '5', 'of type string; H takes'],
    ['<H', true, 'true; H takes'],
    ['<i', 2 ** 31, '2147483648; i takes a whole number from -2147483648 to 2147483647'],
    ['<I', 2n ** 32n, '4294967296n; I takes a whole number from 0 to 4294967295'],
    ['<q', 2n ** 63n, 'from -9223372036854775808 to 9223372036854775807, as a bigint beyond 2^53 - 1'],
    ['<Q', 2 ** 53, '9007199254740992; Q takes a whole number from 0 to 18446744073709551615, as a bigint'],
    ['P', -(2n ** 63n) - 1n, 'P takes a whole number from -9223372036854775808 to 18446744073709551615'],
    ['N', -1, 'N takes a whole number from 0 to 18446744073709551615'],
    ['<f', 3.4028235677973366e38, 'f takes a number of at most 3.4e38'],
    ['f', 1e39, '1e+39; f takes a number of at most 3.4e38'],
    ['<e', 65_520, '65520; e takes a number of at most 65504'],
    ['<d', 5n, '5n; d takes a number'],
    ['<d', undefined, 'of type undefined; d takes a number'],
    ['<?', 1, '1; ? takes true or false'],
    ['<c', bytesOf('ab'), '2 bytes; c takes a Uint8Array of one byte'],
    ['<5s', 'text', 'of type string; s takes a Uint8Array'],
    ['<5p', null, 'null; p takes a Uint8Array'],
  ])('to pack as %s what is %s', (format, value, message) => {
    const pack = (): Uint8Array => struct(format).pack([value as number])
    expect(pack).toThrow(TypeError)
    expect(pack).toThrow(message)
    expect(pack).toThrow(/^values\[0\] of the struct "/)
  })

  test('another number of values', () => {
    const wrong = struct('<2I') as { pack(values: unknown): Uint8Array }
    expect(() => wrong.pack([1])).toThrow(new TypeError('the struct "<2I" packs an array of 2 values, and there are 1'))
    expect(() => wrong.pack([1, 2, 3])).toThrow('and there are 3')
    expect(() => wrong.pack(5)).toThrow('and this is of type number')
  })

  test('another number of bytes', () => {
    const point = struct('<hh')
    expect(thrownBy(() => point.unpack(new Uint8Array(3)))).toMatchObject({
      code: 'bad_frame',
      message: '[bad_frame] the struct "<hh" takes 4 bytes, and there are 3',
    })
    expect(thrownBy(() => point.unpack(new Uint8Array(5)))).toMatchObject({ code: 'bad_frame' })
    expect(thrownBy(() => point.iterUnpack(new Uint8Array(5)))).toMatchObject({ code: 'bad_frame' })
    expect(() => struct('').iterUnpack(new Uint8Array())).toThrow('takes no bytes to go on by')
    expect(() => point.unpack('four' as unknown as Uint8Array)).toThrow(TypeError)
  })
})

function thrownBy(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}
