import fc from 'fast-check'
import { expect, test } from 'vitest'
import { countedBuffer } from '../testing/counted-buffer.ts'
import { JsonScanner } from './json-scanner.ts'

const unbounded = {
  maxDepth: Number.POSITIVE_INFINITY,
  maxContainers: Number.POSITIVE_INFINITY,
  maxNames: Number.POSITIVE_INFINITY,
} as const

/** Where the value that begins the text ends, or -1: byte by byte, with no haste and no memory between bytes but its own. */
function referenceEnd(bytes: Buffer): number {
  let depth = 0
  let inString = false
  let escaped = false
  for (const [index, byte] of bytes.entries()) {
    const character = String.fromCharCode(byte)
    if (escaped) escaped = false
    else if (inString) {
      if (character === '\\') escaped = true
      else if (character === '"') inString = false
    } else if (character === '"') inString = true
    else if (character === '{' || character === '[') depth++
    else if (character === '}' || character === ']') depth--
    if (depth === 0) return index + 1
  }
  return -1
}

/** Where the scanner finds the end when the bytes come in these pieces. */
function scannedEnd(bytes: Buffer, cuts: readonly number[]): number {
  const scanner = new JsonScanner(unbounded)
  let from = 0
  for (const cut of [...cuts, bytes.length]) {
    const end = scanner.scan(bytes.subarray(from, cut), 0)
    if (end >= 0) return from + end
    from = cut
  }
  return -1
}

const letters = ['"', '\\', '{', '}', '[', ']', '\\"', '\\\\', 'a', 'é', ',', ' ', '\n', 'x'.repeat(45), '""']
const text = fc
  .tuple(fc.constantFrom('{', '['), fc.array(fc.constantFrom(...letters), { maxLength: 40 }))
  .map(([first, rest]) => Buffer.from(first + rest.join('')))
const places = fc.array(fc.nat(600), { maxLength: 6 })

test('JsonScanner finds the end that a reference scanner finds, under any cuts (fast-check)', () => {
  fc.assert(
    fc.property(text, places, (bytes, cuts) => {
      const within = cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b)
      expect(scannedEnd(bytes, within)).toBe(referenceEnd(bytes))
    }),
    { numRuns: 10_000 },
  )
})

test('JsonScanner ends valid JSON at its last byte, and JSON.parse agrees with each slice (fast-check)', () => {
  const value = fc.oneof(fc.object({ withNullPrototype: false }), fc.array(fc.jsonValue()))
  fc.assert(
    fc.property(value, fc.string(), places, (item, behind, cuts) => {
      const json = JSON.stringify(item)
      const bytes = Buffer.from(json + behind)
      const end = scannedEnd(
        bytes,
        cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b),
      )
      expect(bytes.subarray(0, end).toString()).toBe(json)
      expect(JSON.stringify(JSON.parse(bytes.subarray(0, end).toString()))).toBe(json)
    }),
    { numRuns: 5_000 },
  )
})

test.each([
  ['a string of every length around the native search', (n: number) => `["${'x'.repeat(n)}"]`],
  ['backslashes before the closing quote', (n: number) => `["${'\\\\'.repeat(n)}"]`],
  ['an escaped quote behind backslashes', (n: number) => `["${'\\\\'.repeat(n)}\\""]`],
  ['an escape at every place', (n: number) => `["${'x'.repeat(n)}\\"${'y'.repeat(50)}"]`],
  ['escaped quotes only', (n: number) => `["${'\\"'.repeat(n)}"]`],
])('JsonScanner follows %s, under every cut', (_, make) => {
  for (let n = 0; n <= 90; n++) {
    const bytes = Buffer.from(`${make(n)}"]`)
    const end = bytes.length - 2
    for (let cut = 0; cut <= bytes.length; cut++) {
      if (scannedEnd(bytes, [cut]) !== end) expect.unreachable(`${bytes.toString()} cut at ${cut}`)
    }
    expect(
      scannedEnd(
        bytes,
        Array.from({ length: bytes.length }, (__, index) => index),
      ),
    ).toBe(end)
  }
})

test('JsonScanner takes empty chunks at any moment', () => {
  const scanner = new JsonScanner(unbounded)
  const chunks = ['', '{', '', '"', '', '\\', '', '"', '', '"', '', '}']
  expect(chunks.map((chunk) => scanner.scan(Buffer.from(chunk), 0))).toEqual([...Array(11).fill(-1), 1])
})

test('JsonScanner begins anew behind each value', () => {
  const scanner = new JsonScanner({ ...unbounded, maxDepth: 2, maxContainers: 2 })
  const bytes = Buffer.from('[[]]{"a":{}}[[]]')
  expect(scanner.scan(bytes, 0)).toBe(4)
  expect(scanner.scan(bytes, 4)).toBe(12)
  expect(scanner.scan(bytes, 12)).toBe(16)
})

test.each([
  ['a long string', `["${'x'.repeat(100_000)}"]`],
  ['a string of escaped quotes', `["${'\\"'.repeat(50_000)}"]`],
  ['a string of backslashes', `["${'\\\\'.repeat(50_000)}"]`],
  ['quotes far apart', `["${`${'x'.repeat(500)}\\"`.repeat(200)}"]`],
  ['brackets', `${'['.repeat(50_000)}${']'.repeat(50_000)}`],
])('JsonScanner looks at most twice at each byte of %s', (_, json) => {
  for (const pieceBytes of [1, 100, 4_096, json.length]) {
    const looks = { looked: 0, copied: 0 }
    const scanner = new JsonScanner(unbounded)
    let end = -1
    for (let at = 0; at < json.length; at += pieceBytes) {
      end = scanner.scan(countedBuffer(Buffer.from(json.slice(at, at + pieceBytes)), looks), 0)
    }
    expect(end).toBeGreaterThan(0)
    expect(looks.looked).toBeLessThanOrEqual(2 * json.length + 100)
  }
})
