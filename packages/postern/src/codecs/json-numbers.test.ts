import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isPosternError } from '../core/errors.ts'
import type { Integers } from './codec.ts'
import { json } from './json.ts'

/** The last safe integer, as text. */
const safe = '9007199254740991'

const safeIntegers = [
  '0',
  '1',
  '7',
  '10',
  '99',
  '255',
  '65535',
  '4294967295',
  '4294967296',
  '999999999999999',
  '1000000000000000',
  '1234567890123456',
  '4503599627370496',
  '9007199254740990',
  safe,
]

const unsafeIntegers = [
  '9007199254740992',
  '9007199254740993',
  '9007199254740995',
  '9007199254740999',
  '9999999999999999',
  '10000000000000000',
  '12345678901234567',
  '99999999999999999',
  '100000000000000000',
  '1152921504606846976',
  '9223372036854775807',
  '9223372036854775808',
  '9223372036854775809',
  '18446744073709551615',
  '18446744073709551616',
  '18446744073709551617',
  '36893488147419103232',
  '100000000000000000000',
  '123456789012345678901234567890',
  '999999999999999999999999999999',
  '1000000000000000000000000000000',
  '340282366920938463463374607431768211455',
  '115792089237316195423570985008687907853269984665640564039457584007913129639935',
  `1${'0'.repeat(76)}`,
  `1${'0'.repeat(307)}`,
  '9'.repeat(308),
]

/** Integers that no double holds, not even rounded. */
const hugeIntegers = [`1${'0'.repeat(309)}`, '9'.repeat(309), '9'.repeat(1_000), '7'.repeat(4_299), '8'.repeat(4_300)]
const tooLongIntegers = ['1'.repeat(4_301), '9'.repeat(5_000)]

const doubles = [
  '0.0',
  '0.1',
  '0.2',
  '0.3',
  '1.0',
  '1.5',
  '2.50',
  '10.25',
  '3.141592653589793',
  '2.718281828459045',
  '0.000001',
  '1e-7',
  '1e0',
  '1e1',
  '1E2',
  '1e+3',
  '1e-3',
  '1.5e10',
  '1.5E+10',
  '1e15',
  '1e16',
  '1e17',
  '1e20',
  '1e21',
  '1e22',
  '1e23',
  '1e99',
  '1e100',
  '1e+100',
  '1E100',
  '1.7e308',
  '1.7976931348623157e308',
  '1e308',
  '1.0e307',
  '5e-324',
  '4.9e-324',
  '2.2250738585072014e-308',
  '1e-400',
  '1e-1000',
  '0e400',
  '0.0e999',
  '0e-400',
  '0.5e-10',
  '123456789.123456789',
  '9007199254740992.0',
  '9007199254740993.0',
  '9007199254740993e0',
  '90071992547409930e-1',
  '12345678901234567890.5',
  '0.12345678901234567890',
  '0.1e1',
  '100e-2',
  '1.10',
  '123456789012345678e-2',
  '1e00',
  '1e-00',
  '1e+00',
  '1e05',
  '1e0000000000000005',
  `0.${'0'.repeat(400)}1`,
  `0.${'1'.repeat(400)}`,
  `1.${'0'.repeat(400)}`,
  `${'1'.repeat(300)}.5`,
  `${'1'.repeat(310)}e-10`,
  `0.${'0'.repeat(310)}1e300`,
  '4.35',
  '0.000035',
]

const tooLargeDoubles = [
  '1e309',
  '1e400',
  '1E400',
  '1e+400',
  '2e308',
  '1.8e308',
  '1.7976931348623159e308',
  '1e1000',
  '1e99999',
  '1.5e999',
  '10e308',
  '123456789e305',
  '0.1e310',
  '1e0000000000000400',
  `${'1'.repeat(310)}.0`,
  `${'1'.repeat(310)}e0`,
  `${'9'.repeat(300)}e10`,
  '17976931348623159077293051907890247336179769789423065727343008115773267580550096313270847732240753602112011387987139335765878976e300',
]

const bothSigns = (literals: readonly string[]): string[] => literals.flatMap((literal) => [literal, `-${literal}`])

/** Where a number may stand: alone, in a list, as a member, between white space. */
const places: readonly ((literal: string) => string)[] = [
  (literal) => literal,
  (literal) => ` \n${literal}\t`,
  (literal) => `[${literal}]`,
  (literal) => `{"n":${literal}}`,
  (literal) => `{"n" : ${literal} , "m":[0,${literal}]}`,
  (literal) => `[[1,{"a":"x"},\n${literal}]]`,
]

const modes: readonly Integers[] = ['bigint', 'number', 'error']

function numbersIn(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? [] : [value]
  return Object.values(value).flatMap(numbersIn)
}

/** The number that stands where the literal was, in each of the places: always the same one. */
function decoded(literal: string, integers: Integers | undefined): unknown {
  const options = integers === undefined ? {} : { integers }
  const found = places.map((place) => {
    const numbers = numbersIn(json.decode(Buffer.from(place(literal)), options))
    return numbers.at(-1)
  })
  for (const number of found) expect(number).toBe(found[0])
  return found[0]
}

function refusal(literal: string, integers: Integers | undefined): string {
  const sentences = places.map((place) => {
    try {
      json.decode(Buffer.from(place(literal)), integers === undefined ? {} : { integers })
    } catch (error) {
      if (isPosternError(error, 'bad_message')) return error.sentence
      throw error
    }
    return expect.unreachable(`${place(literal)} was taken`)
  })
  expect(new Set(sentences).size).toBe(1)
  return sentences[0] as string
}

test('the table has about 200 numbers', () => {
  const all = [safeIntegers, unsafeIntegers, hugeIntegers, tooLongIntegers, doubles, tooLargeDoubles].flatMap(bothSigns)
  expect(new Set(all).size).toBe(all.length)
  expect(all.length).toBeGreaterThanOrEqual(200)
})

describe.each([undefined, ...modes])('integers: %s', (integers) => {
  test.each(bothSigns(safeIntegers))('json gives the safe integer %s as a number', (literal) => {
    const number = decoded(literal, integers)
    expect(number).toBeTypeOf('number')
    expect(Object.is(number, -0) ? '-0' : String(number)).toBe(literal)
  })

  test.each(bothSigns(doubles))('json gives %s as the double that JSON.parse gives', (literal) => {
    const number = decoded(literal, integers)
    expect(number).toBe(JSON.parse(literal))
    expect(Number.isFinite(number)).toBe(true)
  })

  test.each(bothSigns(tooLargeDoubles))('json refuses %s, which would be Infinity', (literal) => {
    expect(refusal(literal, integers)).toMatch(/^the number -?[\d.eE+]+…? is beyond the range of a double$/)
  })

  test.each(bothSigns(tooLongIntegers))('json refuses an integer of more than 4,300 digits', (literal) => {
    expect(refusal(literal, integers)).toMatch(/^the integer -?\d+… has more than 4300 digits$/)
  })

  test.each(bothSigns(unsafeIntegers))('json never rounds %s in silence', (literal) => {
    if (integers === 'error') {
      expect(refusal(literal, integers)).toMatch(
        /^the integer -?\d+…? is beyond 2\^53 - 1 and would be rounded; send it as a string/,
      )
    } else if (integers === 'number') expect(decoded(literal, integers)).toBe(Number(literal))
    else {
      const bigint = decoded(literal, integers)
      expect(bigint).toBeTypeOf('bigint')
      expect(String(bigint)).toBe(literal)
    }
  })

  test.each(bothSigns(hugeIntegers))('json keeps all digits of a huge integer, or refuses it', (literal) => {
    if (integers === 'bigint' || integers === undefined) expect(String(decoded(literal, integers))).toBe(literal)
    else
      expect(refusal(literal, integers)).toMatch(
        integers === 'error' ? /beyond 2\^53 - 1/ : /beyond the range of a double/,
      )
  })
})

test('json gives only the unsafe ones as bigint, and leaves strings that look like numbers alone', () => {
  const text =
    '{"a":[1,9007199254740993,2.5],"9007199254740993":"9007199254740993","s":": 12345678901234567","t":"\\" 1e400"}'
  expect(json.decode(Buffer.from(text))).toEqual({
    a: [1, 9_007_199_254_740_993n, 2.5],
    '9007199254740993': '9007199254740993',
    s: ': 12345678901234567',
    t: '" 1e400',
  })
})

test.each(modes)('json is not misled by numbers in strings with integers: %s', (integers) => {
  const values = [
    '-12345678901234567',
    '[1e999',
    ':99999999999999999',
    '\\',
    '"',
    '\\" 12345678901234567890',
    '',
    ' 1e400,',
  ]
  const text = JSON.stringify({ values, [values.join()]: 1 })
  expect(json.decode(Buffer.from(text), { integers })).toEqual({ values, [values.join()]: 1 })
})

test('json cannot be told to make a bigint by a string', () => {
  const first = json.decode(Buffer.from('["int:x:1", 9007199254740993]'))
  expect(first).toEqual(['int:x:1', 9_007_199_254_740_993n])
})

test('json keeps the names of prototypes as members beside large integers', () => {
  const value = json.decode(
    Buffer.from('{"__proto__":{"a":9007199254740993},"constructor":[9007199254740995]}'),
  ) as object
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  expect(JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? `${item}n` : item))).toBe(
    '{"__proto__":{"a":"9007199254740993n"},"constructor":["9007199254740995n"]}',
  )
})

test('json gives every integer back by its digits (fast-check)', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 300n), max: 2n ** 300n }), fc.boolean(), (integer, alone) => {
      const text = alone ? String(integer) : `{"a":[${integer}]}`
      const [number] = numbersIn(json.decode(Buffer.from(text)))
      expect(String(number)).toBe(String(integer))
      expect(typeof number).toBe(Number.isSafeInteger(Number(integer)) ? 'number' : 'bigint')
    }),
    { numRuns: 5_000 },
  )
})

test('json gives every double back (fast-check)', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (double) => {
      const [back] = json.decode(Buffer.from(json.encode([double]) as string), { integers: 'number' }) as [number]
      expect(back).toBe(double)
    }),
    { numRuns: 5_000 },
  )
})
