import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatJson } from './format-json.ts'

// biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal would obey
const unsafe = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/

describe('formatJson', () => {
  test('keeps the digits of bigints, and -0', () => {
    const value = { a: 123456789012345678901234567890n, b: [-9007199254740993n, -0, 0], c: 'number:1' }
    expect(formatJson(value)).toBe('{"a":123456789012345678901234567890,"b":[-9007199254740993,-0,0],"c":"number:1"}')
    expect(formatJson({ a: 1n }, { pretty: true })).toBe('{\n  "a": 1\n}')
  })

  test('writes bytes as base64', () => {
    expect(formatJson({ a: [new Uint8Array([0, 255, 16])], b: new Uint8Array(0) })).toBe('{"a":["AP8Q"],"b":""}')
  })

  test('escapes what a terminal could obey, without changing the value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), fc.boolean(), (value, text, pretty) => {
        const all = { [text]: [text, value, '\u001b]0;x\u0007\u009b2J\u202e\u0085\ufeff'] }
        const formatted = formatJson(all, { pretty })
        expect(formatted).not.toMatch(unsafe)
        expect(JSON.parse(formatted)).toEqual(all)
      }),
    )
  })

  test('is one line unless it is pretty', () => {
    expect(formatJson({ a: ['\n\u2028'] })).toBe('{"a":["\\n\\u2028"]}')
    expect(formatJson({ a: [1] }, { pretty: true })).toBe('{\n  "a": [\n    1\n  ]\n}')
  })

  test('gives what has no JSON as null', () => {
    expect(formatJson(undefined)).toBe('null')
  })

  test('colours keys, strings, numbers and words, and nothing within strings', () => {
    const coloured = formatJson({ 'k"1': ['a 1 true', -1.5e-7, true, null, 2n] }, { colour: true })
    const plain = formatJson({ 'k"1': ['a 1 true', -1.5e-7, true, null, 2n] })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours
    expect(coloured.replaceAll(/\u001b\[\d+m/g, '')).toBe(plain)
    expect(coloured).toContain('\u001b[34m"k\\"1"\u001b[39m:')
    expect(coloured).toContain('\u001b[32m"a 1 true"\u001b[39m')
    expect(coloured).toContain('\u001b[33m-1.5e-7\u001b[39m')
    expect(coloured).toContain('\u001b[35mtrue\u001b[39m')
    expect(coloured).toContain('\u001b[33m2\u001b[39m')
  })

  test('survives long strings and leaves long values without colours', () => {
    for (const length of [999_000, 50_000_000]) {
      const formatted = formatJson('\\'.repeat(length / 2), { pretty: true, colour: true })
      expect(formatted.startsWith('\u001b[32m')).toBe(length < 1_000_000)
    }
  })

  test('says so when a value is nested too deeply to be formatted', () => {
    let deep: unknown = []
    for (let depth = 0; depth < 100_000; depth++) deep = [deep]
    expect(() => formatJson(deep)).toThrow(/\[limit_exceeded\].*--raw/)
  })
})
