import { describe, expect, test } from 'vitest'
import { codecContract } from '../testing/codec-contract.ts'
import type { DecodeOptions } from './codec.ts'
import { msgpack } from './msgpack.ts'

const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex')
const decode = (hex: string, options?: DecodeOptions): unknown => msgpack.decode(bytesOf(hex), options)

describe('codec contract', () => {
  const harness = { name: 'msgpack', codec: msgpack, unsafeInteger: bytesOf('91 cf 0020000000000001') }
  for (const { title, run } of codecContract(harness)) test(title, run)
})

/** Every form of the specification, with the value that it has; `=` where it is also what is written for the value. */
const forms: readonly [hex: string, value: unknown, written?: '='][] = [
  ['c0', null, '='],
  ['c2', false, '='],
  ['c3', true, '='],
  ['00', 0, '='],
  ['7f', 127, '='],
  ['ff', -1, '='],
  ['e0', -32, '='],
  ['cc 80', 128, '='],
  ['cd 0100', 256, '='],
  ['ce 00010000', 65_536, '='],
  ['ce ffffffff', 2 ** 32 - 1, '='],
  ['cf 0000000000000001', 1],
  ['cf 001fffffffffffff', 2 ** 53 - 1],
  ['cf 0020000000000000', 2n ** 53n],
  ['cf ffffffffffffffff', 2n ** 64n - 1n, '='],
  ['d0 df', -33, '='],
  ['d1 ff7f', -129, '='],
  ['d2 80000000', -(2 ** 31), '='],
  ['d3 0000000100000000', 2 ** 32, '='],
  ['d3 ffffffff7fffffff', -(2 ** 31) - 1, '='],
  ['d3 001fffffffffffff', 2 ** 53 - 1, '='],
  ['d3 ffe0000000000001', -(2 ** 53) + 1, '='],
  ['d3 7fffffffffffffff', 2n ** 63n - 1n, '='],
  ['d3 8000000000000000', -(2n ** 63n), '='],
  ['ca 3f800000', 1],
  ['ca 3dcccccd', Math.fround(0.1)],
  ['ca 80000000', -0],
  ['cb 3ff8000000000000', 1.5, '='],
  ['cb 8000000000000000', -0, '='],
  ['cb 4340000000000000', 2 ** 53, '='],
  ['cb 7fefffffffffffff', Number.MAX_VALUE, '='],
  ['a0', '', '='],
  ['a1 61', 'a', '='],
  [`bf ${'61'.repeat(31)}`, 'a'.repeat(31), '='],
  [`d9 20 ${'61'.repeat(32)}`, 'a'.repeat(32), '='],
  ['d9 01 61', 'a'],
  [`da 0100 ${'61'.repeat(256)}`, 'a'.repeat(256), '='],
  [`db 00010000 ${'61'.repeat(65_536)}`, 'a'.repeat(65_536), '='],
  ['c4 00', new Uint8Array(0), '='],
  ['c4 02 0102', new Uint8Array([1, 2]), '='],
  ['c5 0001 ff', new Uint8Array([255])],
  ['c6 00000001 ff', new Uint8Array([255])],
  ['90', [], '='],
  ['93 01 a1 61 c0', [1, 'a', null], '='],
  ['dc 0001 01', [1]],
  [`dc 0010 ${'00'.repeat(16)}`, Array(16).fill(0), '='],
  ['dd 00000001 01', [1]],
  ['80', {}, '='],
  ['81 a1 61 01', { a: 1 }, '='],
  ['de 0001 a1 61 01', { a: 1 }],
  ['df 00000001 d9 01 61 01', { a: 1 }],
  ['d6 ff 00000000', new Date(0)],
  ['d6 ff ffffffff', new Date((2 ** 32 - 1) * 1_000)],
  ['c7 04 ff 00000001', new Date(1_000)],
  ['d7 ff 003d0900 00000001', new Date(1_001)],
  ['d7 ff edf11603 ffffffff', new Date((2 ** 34 - 1) * 1_000 + 998)],
  ['c7 0c ff 3b8b87c0 ffffffffffffffff', new Date(-1)],
  ['c7 0c ff 00000000 000007dba8218000', new Date(8.64e15)],
  ['c7 0c ff 00000000 fffff82457de8000', new Date(-8.64e15)],
]

test.each(forms)('msgpack reads %s', (hex, value, written) => {
  expect(decode(hex)).toStrictEqual(value)
  expect(decode(`91 ${hex}`)).toStrictEqual([value])
  expect(decode(`82 a1 61 ${hex} a1 62 ${hex}`)).toStrictEqual({ a: value, b: value })
  if (written === '=') expect(Buffer.from(msgpack.encode(value)).toString('hex')).toBe(hex.replaceAll(' ', ''))
})

test.each(forms)('msgpack refuses %s wherever it ends too early', (hex) => {
  const whole = bytesOf(hex)
  for (let end = 0; end < Math.min(whole.length, 20); end++) {
    expect(() => msgpack.decode(whole.subarray(0, end))).toThrow('[bad_frame] a MessagePack frame ')
  }
})

test.each([
  ['the byte that means nothing', 'c1', 'has the byte 0xc1, which means nothing'],
  ['the same inside', '91 c1', 'has the byte 0xc1'],
  ['an array of 2^32 - 1 items', 'dd ffffffff', 'announces 4294967295 items where 0 bytes are left'],
  ['a map of 2^32 - 1 members', 'df ffffffff a1 61 01', 'announces 8589934590 items where 3 bytes are left'],
  ['text of 2^32 - 1 bytes', 'db ffffffff 61', 'ends 4294967294 bytes too early'],
  ['bytes of 2^32 - 1 bytes', 'c6 ffffffff', 'ends too early'],
  ['an extension of 2^32 - 1 bytes', 'c9 ffffffff ff 00', 'ends 4294967294 bytes too early'],
  ['counts within counts', 'dd 00000004 dd 00000003 dd 00000002 dd ffffffff', 'announces 4294967295 items'],
  ['a record definition', 'd4 72 40 91 a1 61 01', 'has an extension of type 114 and 1 bytes'],
  ['a record definition of two bytes', 'd5 72 60 01 91 a1 61 01', 'has an extension of type 114'],
  ['undefined, as some write it', 'd4 00 00', 'has an extension of type 0'],
  ['bundled strings', 'd6 62 00000006 c1 01 a0 a1 61', 'has an extension of type 98'],
  ['a large integer of msgpackr', 'c7 09 42 01 0000000000000000', 'has an extension of type 66'],
  ['a regular expression of msgpackr', 'd4 78 00 92 a1 61 a0', 'has an extension of type 120'],
  ['a reference of msgpackr', 'd6 70 00000001', 'has an extension of type 112'],
  ['an extension of a negative type', 'd4 fe 00', 'has an extension of type -2 and 1 bytes'],
  ['a timestamp of another length', 'd5 ff 0000', 'has an extension of type -1 and 2 bytes'],
  ['a timestamp of too many nanoseconds', 'd7 ff ee6b2800 00000000', 'more nanoseconds than a second has'],
  ['a long timestamp of too many', 'c7 0c ff 3b9aca00 0000000000000000', 'more nanoseconds than a second has'],
  ['something behind the value', '01 02', 'has 1 bytes behind its value'],
  ['a number as a key', '81 01 01', 'has a map with a key that is not text'],
  ['bytes as a key', '81 c4 01 61 01', 'has a map with a key that is not text'],
  ['a map as a key', '81 80 01', 'has a map with a key that is not text'],
  ['two members of one name', '82 a1 61 01 a1 61 02', 'has a map with two members of one name'],
  ['the same deep inside', '91 82 a1 61 01 d9 01 61 80', 'has a map with two members of one name'],
  ['text with a byte that never occurs', 'a1 ff', 'has text that is not valid UTF-8'],
  ['text with half a surrogate pair', 'a3 eda080', 'has text that is not valid UTF-8'],
  ['long text with an overlong slash', `d9 40 ${'61'.repeat(62)} c0af`, 'has text that is not valid UTF-8'],
  ['such a key', '81 a2 c0af 01', 'has text that is not valid UTF-8'],
])('msgpack refuses %s', (_, hex, words) => {
  expect(() => decode(hex)).toThrow('[bad_frame] a MessagePack frame ')
  expect(() => decode(hex)).toThrow(words)
  expect(() => decode(hex)).toThrow(/^.{1,120}$/)
})

test.each([
  ['NaN', 'cb 7ff8000000000000', 'NaN or Infinity'],
  ['-Infinity', 'ca ff800000', 'NaN or Infinity'],
  ['a timestamp of a microsecond', 'd7 ff 00000fa0 00000000', 'finer than a millisecond'],
  ['a timestamp behind the last Date', 'c7 0c ff 000f4240 000007dba8218000', 'beyond the range of a Date'],
  ['a timestamp before the first', 'c7 0c ff 3b8b87c0 fffff82457de7fff', 'beyond the range of a Date'],
])('msgpack finds no value for %s', (_, hex, words) => {
  expect(() => decode(`91 ${hex}`)).toThrow(/^\[bad_message\] a MessagePack frame holds .*; send /)
  expect(() => decode(`91 ${hex}`)).toThrow(words)
})

test.each(['d6 ff 00000001', 'd7 ff 0000000000000001', 'c7 0c ff 000000000000000000000001'])(
  'msgpack counts the timestamp %s against maxContainers',
  (hex) => {
    const frame = bytesOf(`92 ${hex} ${hex}`)
    for (const maxContainers of [3, 4]) {
      expect(msgpack.decode(frame, { maxContainers })).toEqual([expect.any(Date), expect.any(Date)])
    }
    expect(() => msgpack.decode(frame, { maxContainers: 2 })).toThrow('exceeds limits.maxContainers (2)')
  },
)

test('msgpack reads an integer the same after a record definition', () => {
  const integer = bytesOf('92 40 d3 0000000000000007')
  const first = msgpack.decode(integer)
  expect(first).toEqual([64, 7])
  for (const definition of ['d4 72 40 91 a1 61 01', '92 d4 72 40 91 a1 61 01 40']) {
    expect(() => decode(definition)).toThrow('[bad_frame]')
    expect(msgpack.decode(integer)).toEqual(first)
  }
})

test.each([
  ['92 01 02', [1, 2]],
  ['94 00 ce ffffffff a1 61 90', [0, 2 ** 32 - 1]],
  ['97 00 7f cc 80 cd 0100 ce 00010000 cf 0000000100000000 e0', [0, 127, 128, 256, 65_536, 2 ** 32, -32]],
  ['94 d0 df d1 ff7f d2 80000000 d3 ffffffffffffffff', [-33, -129, -(2 ** 31), -1]],
  ['dc 0001 05', [5]],
  ['dd 00000001 05', [5]],
  ['91 05 06', [5]],
  ['93 01 cf 0020000000000000 02', [1]],
  ['93 01 cd 01', [1]],
  ['93', []],
  ['90', []],
  ['dc 00', []],
  ['dd 0000', []],
  ['93 a1 61 01', []],
  ['93 dc 0001', []],
  ['80', []],
  ['01', []],
  ['', []],
])('msgpack peeks at %s', (hex, integers) => {
  expect(msgpack.peekIntegers(bytesOf(hex))).toEqual(integers)
  expect(msgpack.peekIntegers(bytesOf(`ff ${hex}`).subarray(1))).toEqual(integers)
})
