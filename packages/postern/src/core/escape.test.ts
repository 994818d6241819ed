import fc from 'fast-check'
import { expect, test } from 'vitest'
import { escapeText, excerpt, excerptOfText } from './escape.ts'

const unsafeRanges = [
  [0x00, 0x1f, 'C0'],
  [0x7f, 0x9f, 'DEL and C1'],
  [0x061c, 0x061c, 'the Arabic letter mark'],
  [0x200e, 0x200f, 'left-to-right and right-to-left marks'],
  [0x2028, 0x2029, 'line and paragraph separators'],
  [0x202a, 0x202e, 'bidirectional embeddings and overrides'],
  [0x2066, 0x2069, 'bidirectional isolates'],
  [0xfeff, 0xfeff, 'the byte order mark'],
] as const

test.each(unsafeRanges)('escapeText escapes U+%o to U+%o: %s', (first, last) => {
  for (let code = first; code <= last; code++) {
    const character = String.fromCodePoint(code)
    const escaped = `\\u${code.toString(16).padStart(4, '0')}`
    expect(escapeText(`a${character}b${character}`)).toBe(`a${escaped}b${escaped}`)
  }
})

test.each([
  ['\u001b[31mred\u001b[0m', '\\u001b[31mred\\u001b[0m'],
  ['\u001b]8;;http://evil\u0007link\u001b]8;;\u0007', '\\u001b]8;;http://evil\\u0007link\\u001b]8;;\\u0007'],
  ['\u001b]52;c;aGk=\u0007', '\\u001b]52;c;aGk=\\u0007'],
  ['\u009b2J', '\\u009b2J'],
  ['ok\r[closed] forged', 'ok\\u000d[closed] forged'],
  ['one\ntwo', 'one\\u000atwo'],
  ['user\u202egnp.exe', 'user\\u202egnp.exe'],
])('escapeText makes %j harmless', (text, escaped) => {
  expect(escapeText(text)).toBe(escaped)
})

test('escapeText leaves everything else as it is', () => {
  const text = 'plain ~ äöü Ελληνικά 漢字 👩‍👩‍👧 "quoted" \\ back'
  expect(escapeText(text)).toBe(text)
})

test('escapeText leaves one line without a control character, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters looked for
      expect(escapeText(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/)
    }),
    { numRuns: 1_000 },
  )
})

test.each([
  [Buffer.from('GET / HTTP/1.1\r\n'), '"GET / HTTP/1.1\\u000d\\u000a"'],
  [Buffer.from([0x16, 0x03, 0x01]), '"\\u0016\\u0003\\u0001"'],
  [Buffer.from([0xff, 0x41]), '"\ufffdA"'],
  [Buffer.from('\ufeff{}'), '"\\ufeff{}"'],
  [Buffer.alloc(0), '""'],
])('excerpt shows the bytes %j', (bytes, shown) => {
  expect(excerpt(bytes)).toBe(shown)
})

test('excerpt cuts after its length and says so', () => {
  expect(excerpt(Buffer.from('x'.repeat(60)))).toBe(`"${'x'.repeat(60)}"`)
  expect(excerpt(Buffer.from('x'.repeat(61)))).toBe(`"${'x'.repeat(60)}"…`)
  expect(excerptOfText('x'.repeat(60))).toBe(`"${'x'.repeat(60)}"`)
  expect(excerptOfText(`${'x'.repeat(60)}é`)).toBe(`"${'x'.repeat(60)}"…`)
  expect(excerptOfText('a\u001bb')).toBe('"a\\u001bb"')
})
