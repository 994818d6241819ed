import type { SeededRandom } from '../../src/testing/seeded-random.ts'

/** What parsers stumble over: brackets, quotes, escapes, numbers at their limits, odd UTF-8, other protocols. */
const tokens: readonly Buffer[] = [
  ...[
    '{',
    '}',
    '[',
    ']',
    '"',
    '\\',
    '\\"',
    '\\\\',
    ',',
    ':',
    '\n',
    '\r\n',
    ' ',
    '\t',
    '}{',
    '][',
    '}[',
    '{}',
    '[]',
    '""',
  ],
  ...[
    '0',
    '-0',
    '-',
    '9007199254740993',
    '1e400',
    '-1e-400',
    '0.1',
    '1e',
    '01',
    'true',
    'null',
    'NaN',
    '\\u0000',
    '\\ud800',
  ],
  ...[
    '"id":',
    '"method":',
    '"result":',
    '"error":',
    '"params":',
    '"jsonrpc":"2.0"',
    '"__proto__":',
    '"constructor":',
    '"2.0"',
  ],
  ...[
    '\u0000',
    '\u001b[2J',
    '\u007f',
    'é',
    '日本',
    '\u{1f511}',
    '\u2028',
    '\ufeff',
    '\ufffd',
    'GET / HTTP/1.1\r\n',
    '?codec=',
    ':',
  ],
].map((text) => Buffer.from(text))

const wrongUtf8: readonly Buffer[] = [[0x80], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xff]].map(
  (bytes) => Buffer.from(bytes),
)

type Mutation = (bytes: Buffer, random: SeededRandom, corpus: readonly Buffer[]) => Buffer

const mutations: readonly Mutation[] = [
  (bytes, random) => replaced(bytes, random.below(bytes.length + 1), 1, random.bytes(1)),
  (bytes, random) => {
    const at = random.below(bytes.length)
    return replaced(bytes, at, 1, Buffer.from([(bytes[at] ?? 0) ^ (1 << random.below(8))]))
  },
  (bytes, random) => replaced(bytes, random.below(bytes.length + 1), 0, random.pick(tokens)),
  (bytes, random) => replaced(bytes, random.below(bytes.length + 1), random.below(4), random.pick(tokens)),
  (bytes, random) => replaced(bytes, random.below(bytes.length + 1), 0, random.pick(wrongUtf8)),
  (bytes, random) => replaced(bytes, random.below(bytes.length + 1), random.below(20), Buffer.alloc(0)),
  (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1)),
  (bytes, random) => bytes.subarray(random.below(bytes.length + 1)),
  (bytes, random) => {
    const [from, to] = [random.below(bytes.length + 1), random.below(bytes.length + 1)].sort((a, b) => a - b)
    const piece = bytes.subarray(from, to)
    return replaced(bytes, to as number, 0, Buffer.concat(Array.from({ length: 1 + random.below(5) }, () => piece)))
  },
  (bytes, random, corpus) => {
    const other = random.pick(corpus)
    return Buffer.concat([
      bytes.subarray(0, random.below(bytes.length + 1)),
      other.subarray(random.below(other.length + 1)),
    ])
  },
  (bytes, random, corpus) => Buffer.concat([bytes, random.pick(corpus)]),
  (bytes, random) =>
    replaced(bytes, random.below(bytes.length + 1), 0, Buffer.alloc(random.below(100), random.pick(tokens))),
]

/** A good input with a few things wrong in it; a few hundred bytes at most, since faults need no more. */
export function mutated(corpus: readonly Buffer[], random: SeededRandom): Buffer {
  let bytes = random.pick(corpus)
  for (let times = random.below(5); times > 0; times--) bytes = random.pick(mutations)(bytes, random, corpus)
  return Buffer.from(bytes.subarray(0, 600))
}

function replaced(bytes: Buffer, at: number, length: number, by: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), by, bytes.subarray(at + length)])
}
