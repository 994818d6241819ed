import { describe, expect, test } from 'vitest'
import { codecContract } from '../testing/codec-contract.ts'
import { cbor } from './cbor.ts'
import type { DecodeOptions } from './codec.ts'

const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex')
const decode = (hex: string, options?: DecodeOptions): unknown => cbor.decode(bytesOf(hex), options)

describe('codec contract', () => {
  const harness = { name: 'cbor', codec: cbor, unsafeInteger: bytesOf('81 1b 0020000000000001') }
  for (const { title, run } of codecContract(harness)) test(title, run)
})

const longList = Array.from({ length: 25 }, (_, index) => index + 1)
const longListHex = '98190102030405060708090a0b0c0d0e0f101112131415161718181819'

/** RFC 8949, appendix A, as far as it is taken, and longer forms; `=` where the value is also written so. */
const forms: readonly [hex: string, value: unknown, written?: '='][] = [
  ['00', 0, '='],
  ['01', 1, '='],
  ['0a', 10, '='],
  ['17', 23, '='],
  ['1818', 24, '='],
  ['1819', 25, '='],
  ['1864', 100, '='],
  ['1903e8', 1_000, '='],
  ['1a000f4240', 1_000_000, '='],
  ['1b000000e8d4a51000', 1_000_000_000_000, '='],
  ['1bffffffffffffffff', 18_446_744_073_709_551_615n, '='],
  ['1b0000000000000001', 1],
  ['1817', 23],
  ['20', -1, '='],
  ['29', -10, '='],
  ['3863', -100, '='],
  ['3903e7', -1_000, '='],
  ['3a7fffffff', -(2 ** 31), '='],
  ['3affffffff', -(2 ** 32)],
  ['3b0000000000000000', -1],
  ['3b001ffffffffffffe', -(2 ** 53) + 1, '='],
  ['3b001fffffffffffff', -(2n ** 53n), '='],
  ['3b7fffffffffffffff', -(2n ** 63n), '='],
  ['f90000', 0],
  ['f98000', -0],
  ['f93c00', 1],
  ['fb3ff199999999999a', 1.1, '='],
  ['f93e00', 1.5],
  ['f97bff', 65_504],
  ['fa47c35000', 100_000],
  ['fa7f7fffff', 3.402_823_466_385_288_6e38],
  ['fb7e37e43c8800759c', 1e300, '='],
  ['f90001', 5.960_464_477_539_063e-8],
  ['f90400', 0.000_061_035_156_25],
  ['f9c400', -4],
  ['fbc010666666666666', -4.1, '='],
  ['fb8000000000000000', -0, '='],
  ['f4', false, '='],
  ['f5', true, '='],
  ['f6', null, '='],
  ['40', new Uint8Array(0), '='],
  ['4401020304', new Uint8Array([1, 2, 3, 4]), '='],
  ['60', '', '='],
  ['6161', 'a', '='],
  ['6449455446', 'IETF', '='],
  ['62225c', '"\\', '='],
  ['62c3bc', '\u00fc', '='],
  ['63e6b0b4', '\u6c34', '='],
  ['64f0908591', '\ud800\udd51', '='],
  ['7b0000000000000001 61', 'a'],
  [`7818 ${'61'.repeat(24)}`, 'a'.repeat(24), '='],
  [`7b0000000000000047 efbbbf ${'61'.repeat(68)}`, `\ufeff${'a'.repeat(68)}`],
  ['80', [], '='],
  ['83010203', [1, 2, 3], '='],
  ['8301820203820405', [1, [2, 3], [4, 5]], '='],
  [longListHex, longList, '='],
  ['9b0000000000000001 01', [1]],
  ['a0', {}, '='],
  ['a26161016162820203', { a: 1, b: [2, 3] }, '='],
  ['826161a161626163', ['a', { b: 'c' }], '='],
  ['a56161614161626142616361436164614461656145', { a: 'A', b: 'B', c: 'C', d: 'D', e: 'E' }, '='],
  ['b90001 6161 01', { a: 1 }],
]

test.each(forms)('cbor reads %s', (hex, value, written) => {
  expect(decode(hex)).toStrictEqual(value)
  expect(decode(`81 ${hex}`)).toStrictEqual([value])
  expect(decode(`a2 6161 ${hex} 6162 ${hex}`)).toStrictEqual({ a: value, b: value })
  if (written === '=') expect(Buffer.from(cbor.encode(value)).toString('hex')).toBe(hex.replaceAll(' ', ''))
})

test.each(forms)('cbor refuses %s wherever it ends too early', (hex) => {
  const whole = bytesOf(hex)
  for (let end = 0; end < whole.length; end++) {
    expect(() => cbor.decode(whole.subarray(0, end))).toThrow('[bad_frame] a CBOR frame ')
  }
})

test.each([
  // RFC 8949, appendix A: what is not taken.
  ['a large integer', 'c249010000000000000000', 'has the tag 2; none is taken'],
  ['a negative large integer', 'c349010000000000000000', 'has the tag 3'],
  ['undefined', 'f7', 'has undefined'],
  ['a simple value', 'f0', 'has a simple value or float of kind 16'],
  ['a simple value of one more byte', 'f8ff', 'has a simple value or float of kind 24'],
  ['a date', 'c074323031332d30332d32315432303a30343a30305a', 'has the tag 0'],
  ['a date in seconds', 'c11a514b67b0', 'has the tag 1'],
  ['bytes that are CBOR', 'd818456449455446', 'has the tag 24'],
  ['a map with numbers as keys', 'a201020304', 'has a map with a key that is not text'],
  ['bytes of indefinite length', '5f42010243030405ff', 'has an item of indefinite length'],
  ['text of indefinite length', '7f657374726561646d696e67ff', 'has an item of indefinite length'],
  ['an array of indefinite length', '9f018202039f0405ffff', 'has an item of indefinite length'],
  ['the same inside', '83018202039f0405ff', 'has an item of indefinite length'],
  ['a map of indefinite length', 'bf61610161629f0203ffff', 'has an item of indefinite length'],
  ['a map with such a key', 'a1 7f6161ff 01', 'has an item of indefinite length'],
  // What is worse.
  ['an integer of indefinite length', '1f', 'the reserved argument 31'],
  ['the end of an indefinite length', 'ff', 'has the end of an indefinite length'],
  ['a reserved argument', '1c', 'has an item with the reserved argument 28'],
  ['a reserved length', '5d', 'has an item with the reserved argument 29'],
  ['a reserved float', 'fc', 'has a simple value or float of kind 28'],
  ['an array of 2^32 - 1 items', '9a ffffffff', 'announces 4294967295 items where 0 bytes are left'],
  ['an array of 2^64 - 1 items', '9b ffffffffffffffff', 'announces 18446744073709552000 items'],
  ['a map of 2^32 - 1 members', 'ba ffffffff 616101', 'announces 8589934590 items where 3 bytes are left'],
  ['text of 2^64 - 1 bytes', '7b ffffffffffffffff 61', 'bytes too early'],
  ['bytes of 2^32 - 1 bytes', '5a ffffffff', 'ends too early'],
  ['counts within counts', '84 9a 00000003 9a 00000002 9a ffffffff', 'announces 4294967295 items'],
  ['a record of cbor-x', 'd9dfff 84 19e000 81 6161 01', 'has the tag 57343'],
  ['packed values of cbor-x', 'd833 84 81 6161 80 80 e0', 'has the tag 51'],
  ['a shared value', 'd81c 80', 'has the tag 28'],
  ['a large tag', 'db ffffffffffffffff 00', 'has the tag 18446744073709552000'],
  ['a self-described frame', 'd9d9f7 00', 'has the tag 55799'],
  ['something behind the value', '0102', 'has 1 bytes behind its value'],
  ['bytes as a key', 'a1 4161 01', 'has a map with a key that is not text'],
  ['a map without its key', 'a2 6161 1818', 'ends too early'],
  ['two members of one name', 'a2 6161 01 6161 02', 'has a map with two members of one name'],
  ['the same, written otherwise', '81 a2 6161 01 7801 61 80', 'has a map with two members of one name'],
  ['text with a byte that never occurs', '61ff', 'has text that is not valid UTF-8'],
  ['text with half a surrogate pair', '63 eda080', 'has text that is not valid UTF-8'],
  ['long text with an overlong slash', `7840 ${'61'.repeat(62)} c0af`, 'has text that is not valid UTF-8'],
])('cbor refuses %s', (_, hex, words) => {
  expect(() => decode(hex)).toThrow('[bad_frame] a CBOR frame ')
  expect(() => decode(hex)).toThrow(words)
  expect(() => decode(hex)).toThrow(/^.{1,120}$/)
})

test.each([
  ['NaN', 'f97e00'],
  ['Infinity', 'f97c00'],
  ['-Infinity', 'f9fc00'],
  ['NaN of 4 bytes', 'fa7fc00000'],
  ['Infinity of 4 bytes', 'fa7f800000'],
  ['NaN of 8 bytes', 'fb7ff8000000000000'],
  ['-Infinity of 8 bytes', 'fbfff0000000000000'],
  ['an integer of 65 bits', '3bffffffffffffffff'],
  ['the first one below', '3b8000000000000000'],
])('cbor finds no value for %s', (_, hex) => {
  expect(() => decode(`81 ${hex}`)).toThrow(/^\[bad_message\] a CBOR frame holds .*; send /)
})

test.each([
  ['82 01 02', [1, 2]],
  ['84 00 1a ffffffff 6161 80', [0, 2 ** 32 - 1]],
  ['86 00 17 1818 190100 1a00010000 1b0000000100000000', [0, 23, 24, 256, 65_536, 2 ** 32]],
  ['84 20 3820 3901ff 3affffffff', [-1, -33, -512, -(2 ** 32)]],
  ['9801 05', [5]],
  ['9b0000000000000001 05', [5]],
  ['81 05 06', [5]],
  ['83 01 1b0020000000000000 02', [1]],
  ['83 01 1903', [1]],
  ['83 01 1c', [1]],
  ['83', []],
  ['80', []],
  ['9800', []],
  ['98', []],
  ['9f 01 ff', []],
  ['83 6161 01', []],
  ['a0', []],
  ['01', []],
  ['', []],
])('cbor peeks at %s', (hex, integers) => {
  expect(cbor.peekIntegers(bytesOf(hex))).toEqual(integers)
  expect(cbor.peekIntegers(bytesOf(`ff ${hex}`).subarray(1))).toEqual(integers)
})
