import { describe, expect, test } from 'vitest'
import { cbor } from '../codecs/cbor.ts'
import { msgpack } from '../codecs/msgpack.ts'
import { JsonScanner } from './json-scanner.ts'
import { tellingBytes } from './name-count.ts'

/** An object with these members; their values are nothing that counts. */
function object(...names: readonly string[]): object {
  return Object.fromEntries(names.map((name, index) => [name, index]))
}

function distinct(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `name ${index}`)
}

const long = 'x'.repeat(100)

const values: readonly (readonly [string, number, unknown])[] = [
  ['three members', 3, object('a', 'b', 'c')],
  ['many members', 300, object(...distinct(300))],
  ['many objects of one shape once', 2, Array.from({ length: 50 }, () => object('a', 'b'))],
  ['the same names in another order', 4, [object('a', 'b'), object('b', 'a')]],
  ['what shapes begin with once', 3, [object('a', 'b'), object('a', 'c')]],
  ['an object within one anew', 1, { a: { a: { a: { a: 1 } } } }],
  ['the members behind an object with those before it', 3, [{ a: { b: 1 }, c: 1 }, object('a', 'c')]],
  ['long names', 3, object(long, `${long}a`, `a${long}`)],
  ['names with quotes, colons and brackets', 4, object('"', '":{"', '[', '\\')],
  ['no texts that are not names', 1, { a: [...distinct(20), '"b":1', '{"c":[', '\\"d":'] }],
  ['names in any language', 2, object('ä', '名')],
]

/** Counting with a limit one below, at and one above what there is. */
function counts(count: number, scan: (maxNames: number) => unknown): void {
  scan(count + 1)
  scan(count)
  const maxNames = count - 1
  expect(() => scan(maxNames)).toThrow(
    expect.objectContaining({
      code: 'limit_exceeded',
      message: `[limit_exceeded] more than ${maxNames} names of members, each counted once for the names before it exceeds limits.maxNames (${maxNames})`,
      details: { limit: 'maxNames', value: maxNames },
    }),
  )
}

/** Scans the chunks of one value, which ends with the last of them. */
function scanChunks(scanner: JsonScanner, chunks: readonly Buffer[]): void {
  const ends = chunks.map((chunk) => scanner.scan(chunk, 0))
  const last = ends.pop()
  expect(ends.every((end) => end === -1)).toBe(true)
  expect(last).toBe(chunks.at(-1)?.length)
}

function jsonScanner(maxNames: number): JsonScanner {
  return new JsonScanner({ maxDepth: 64, maxContainers: 1_000, maxNames })
}

describe.each([msgpack, cbor])('$name', (codec) => {
  test.each(values)(`${codec.name} counts %s against maxNames: %d`, (_what, count, value) => {
    const frame = codec.encode(value)
    counts(count, (maxNames) => expect(codec.decode(frame, { maxNames })).toEqual(value))
  })
})

describe.each([
  ['as it is written', (value: unknown) => JSON.stringify(value)],
  ['with white space', (value: unknown) => JSON.stringify(value, null, '\t').replaceAll('": ', '" \n: ')],
])('JSON %s', (how, text) => {
  test.each(values)(`JSON ${how} counts %s against maxNames, however it is cut: %d`, (_what, count, value) => {
    const bytes = Buffer.from(text(value))
    const few = Math.max(1, Math.floor(bytes.length / 500))
    for (let cut = 1; cut < bytes.length; cut += few)
      counts(count, (maxNames) => scanChunks(jsonScanner(maxNames), [bytes.subarray(0, cut), bytes.subarray(cut)]))
    const single = Array.from(bytes, (_byte, index) => bytes.subarray(index, index + 1))
    counts(count, (maxNames) => scanChunks(jsonScanner(maxNames), single))
  })
})

test('each value is counted on its own', () => {
  const scanner = jsonScanner(200)
  for (const count of [3, 200, 5, 150, 200]) {
    const bytes = Buffer.from(JSON.stringify(object(...distinct(count))))
    scanChunks(scanner, [bytes])
    scanChunks(scanner, [bytes.subarray(0, 20), bytes.subarray(20)])
  }
})

test('names that differ only far behind their beginning are one', () => {
  const start = 'x'.repeat(tellingBytes - 1)
  const bytes = Buffer.from(JSON.stringify([object(`${start}ab`), object(`${start}ac`), object(`${start}b`)]))
  counts(2, (maxNames) => scanChunks(jsonScanner(maxNames), [bytes]))
  for (const cut of [10, 3_000, 4_099, 4_103, 9_000])
    counts(2, (maxNames) => scanChunks(jsonScanner(maxNames), [bytes.subarray(0, cut), bytes.subarray(cut)]))
})

test('text that is no JSON is passed, however odd its colons stand', () => {
  for (const text of ['{:::::}', '{"a"::1:}', '[:"a"]', '{"a":1,:}']) scanChunks(jsonScanner(9), [Buffer.from(text)])
})
