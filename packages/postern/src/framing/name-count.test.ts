import { describe, expect, test } from 'vitest'
import { cbor } from '../codecs/cbor.ts'
import { msgpack } from '../codecs/msgpack.ts'
import { countedBuffer } from '../testing/counted-buffer.ts'
import { JsonScanner } from './json-scanner.ts'
import { mostClassed, tellingBytes } from './name-count.ts'

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
  ['as many members as have classes', mostClassed, object(...distinct(mostClassed))],
  ['no members of large objects', 1, [object('a'), object(...distinct(mostClassed + 1))]],
  ['objects of another number of members anew', 15, [1, 2, 3, 4, 5].map((count) => object(...distinct(count)))],
  ['no indices of arrays', 1, [object('a', '0', '7', '10', '123456789'), object('3'), object('a')]],
  ['numbers that are none', 4, object('00', '-1', '1.5', '4294967295')],
  ['many objects of one shape once', 2, Array.from({ length: 50 }, () => object('a', 'b'))],
  ['the same names in another order', 4, [object('a', 'b'), object('b', 'a')]],
  ['what shapes begin with once', 3, [object('a', 'b'), object('a', 'c')]],
  ['an object within one anew', 1, { a: { a: { a: { a: 1 } } } }],
  ['the members behind an object with those before it', 3, [{ a: { b: 1 }, c: 1 }, object('a', 'c')]],
  [
    'the members behind arrays of objects with those before them',
    2 * 3 + 2,
    [
      { a: [[{ x: 1 }]], c: 1, d: 1 },
      { b: [{ y: 1 }], c: 1, d: 1 },
    ],
  ],
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
      message: `[limit_exceeded] more than ${maxNames} different names exceeds limits.maxNames (${maxNames})`,
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
  const scanner = jsonScanner(100)
  for (const count of [3, 100, 5, 50, 100]) {
    const bytes = Buffer.from(JSON.stringify(object(...distinct(count))))
    scanChunks(scanner, [bytes])
    scanChunks(scanner, [bytes.subarray(0, 20), bytes.subarray(20)])
  }
})

test('a name that is too long to be compared is always another, with all behind it', () => {
  const longest = 'x'.repeat(tellingBytes)
  const two = [object(longest, 'a'), object(longest, 'a')]
  const bytes = Buffer.from(JSON.stringify([...two, object(`${longest}y`, 'a'), object(`${longest}y`, 'a')]))
  for (const cut of [10, 3_000, 4_099, 4_103, 9_000, bytes.length - 4_100, bytes.length - 3])
    counts(6, (maxNames) => scanChunks(jsonScanner(maxNames), [bytes.subarray(0, cut), bytes.subarray(cut)]))
})

test('names that a polynomial would take for one another are told apart', () => {
  // Two words of Thue and Morse have the same value whatever they are multiplied by, modulo 2^32.
  let [word, other] = ['a', 'b']
  while (word.length < 256) [word, other] = [word + other, other + word]
  const names = Array.from({ length: 64 }, (_, bits) =>
    Array.from({ length: 6 }, (_bit, bit) => ((bits >> bit) & 1 ? word : other)).join(''),
  )
  const bytes = Buffer.from(JSON.stringify(names.map((name) => object(name, 'b'))))
  counts(128, (maxNames) => scanChunks(jsonScanner(maxNames), [bytes]))
})

test('members of large objects count as containers, however they are cut', () => {
  const bytes = Buffer.from(JSON.stringify([object(...distinct(200)), {}, object('a'), object(...distinct(128))]))
  for (let cut = 1; cut < bytes.length; cut += 7) {
    const scan = (maxContainers: number): void =>
      scanChunks(new JsonScanner({ maxDepth: 9, maxContainers, maxNames: 9 }), [
        bytes.subarray(0, cut),
        bytes.subarray(cut),
      ])
    scan(333)
    expect(() => scan(332)).toThrow('members of large objects exceeds limits.maxContainers (332)')
  }
})

test('a string is looked at once as a name, however many colons come', () => {
  const text = `{"${'x'.repeat(tellingBytes)}":[${'[:],'.repeat(9)}0]}`
  const looks = { looked: 0, copied: 0 }
  jsonScanner(1).scan(countedBuffer(Buffer.from(text), looks), 0)
  expect(looks.looked).toBeLessThan(3 * text.length)
})

/** The first was found by the fuzzer: whole it passed, and cut it did not. */
const odd = ['[:::z::::::::]', '{:::::}', '{"a"::::::1:}', '[:"a"]', '{"a":1,::::}', '["a",::::]']

test.each(odd)('text that is no JSON has names where a string has a colon, however it is cut: %s', (text) => {
  const bytes = Buffer.from(text)
  scanChunks(jsonScanner(1), [bytes])
  for (let cut = 1; cut < bytes.length; cut++) scanChunks(jsonScanner(1), [bytes.subarray(0, cut), bytes.subarray(cut)])
})
