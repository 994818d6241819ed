import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { type StructValue, struct } from '../../src/codecs/index.ts'
import { type SeededRandom, seededRandom } from '../../src/testing/seeded-random.ts'
import { pythonProgram, whyNoPython } from './python.ts'

/** How many formats are tried, with as many values and bytes. */
const cases = Number(process.env['POSTERN_STRUCT_CASES'] ?? 5_000)
const seed = Number(process.env['POSTERN_FUZZ_SEED'] ?? 1)

/** A value as it is told to Python and by it. */
type Told = readonly [tag: string, text: string]

interface Case {
  readonly format: string
  /** The format character of each value. */
  readonly characters: readonly string[]
  readonly values: readonly unknown[]
  readonly bytes: Buffer
}

interface Outcome {
  readonly size: number | null
  readonly packed: string | null
  readonly unpacked: readonly Told[] | null
}

/** A number is an integer where a format takes integers, for Python tells 1 from 1.0. */
function told(value: unknown, character = ''): Told {
  if (typeof value === 'boolean') return ['bool', String(value)]
  if (typeof value === 'bigint') return ['int', String(value)]
  if (value instanceof Uint8Array) return ['bytes', Buffer.from(value).toString('hex')]
  if (typeof value !== 'number') return ['text', String(value)]
  if (Number.isNaN(value)) return ['float', 'nan']
  if (Number.isInteger(value) && !isFloat(character)) return ['int', String(value)]
  const double = Buffer.alloc(8)
  double.writeDoubleBE(value)
  return ['float', double.toString('hex')]
}

function isFloat(character: string): boolean {
  return 'efd'.includes(character)
}

function charactersOf(format: string): string[] {
  return [...format.matchAll(/(\d*)([a-zA-Z?])/g)].flatMap(([, count = '', character = '']) => {
    if (character === 'x') return []
    const values = count === '' || 'sp'.includes(character) ? 1 : Number(count)
    return Array.from({ length: values }, () => character)
  })
}

const prefixes = ['', '@', '=', '<', '>', '!']
const formatCharacters = 'xcbB?hHiIlLqQnNPefdsp'

function randomFormat(random: SeededRandom): string {
  const items = Array.from({ length: 1 + random.below(8) }, () => {
    const count = random.pick(['', '', '', '', '', '', '0', '1', '2', '3', '05', '16'])
    const space = random.pick(['', '', '', ' ', '\t', '\n ', '\v\f\r'])
    // Now and then one that is wrong in some way.
    const character = random.pick(random.below(60) > 0 ? [...formatCharacters] : [...'zuF<@.-é\0 3'])
    const isLong = 'sp'.includes(character) && random.below(8) === 0
    return `${isLong ? random.pick(['255', '256', '300']) : count}${character}${space}`
  })
  const wrongEnd = random.below(40) === 0 ? random.pick(['3', ' 12', '<', '1 i']) : ''
  // Python 3.12 and older cannot unpack an empty p.
  return `${random.pick(prefixes)}${items.join('')}${wrongEnd}`.replaceAll(/(?<!\d)0p/g, '1p')
}

function randomInteger(random: SeededRandom, character: string): unknown {
  const bits = { b: 8, h: 16, i: 32, l: random.pick([32, 64]) }[character.toLowerCase()] ?? 64
  const edge = random.pick([0n, 2n ** BigInt(bits - 1), -(2n ** BigInt(bits - 1)), 2n ** BigInt(bits)])
  const anywhere = BigInt.asIntN(bits, BigInt(`0x${random.bytes(8).toString('hex')}`))
  // Around an edge many are out of range; inside it hardly any is.
  const value = random.below(8) === 0 ? edge + BigInt(random.below(3) - 1) : anywhere
  const fitting = character === character.toUpperCase() && value < 0n && random.below(30) > 0 ? -value - 1n : value
  if (random.below(200) === 0) return random.pick([1.5, 'text', random.bytes(1)])
  const isSafe = BigInt.asIntN(53, fitting) === fitting
  return isSafe && random.below(2) > 0 ? Number(fitting) : fitting
}

const floats = [0, -0, 1, -1.5, 65_504, 65_519.99, 2 ** -24, 2 ** -25, 1.1e-45, 3.4e38, Infinity, -Infinity, Number.NaN]
const tooLarge = [65_520, 3.4028235677973366e38, 1e39, -1e300]

function randomFloat(random: SeededRandom, character: string): unknown {
  if (random.below(100) === 0) return random.pick([...tooLarge, 'text'])
  if (random.below(3) === 0) return random.pick(floats)
  const largest = { e: 65_504, f: 3e38, d: 1e300 }[character] ?? 1
  return (random.fraction() - 0.5) * 2 * largest ** random.fraction()
}

function randomValue(random: SeededRandom, character: string): unknown {
  if (isFloat(character)) return randomFloat(random, character)
  switch (character) {
    case '?':
      return random.below(2) === 0
    case 'c':
      return random.bytes(random.below(300) > 0 ? 1 : 2)
    case 's':
    case 'p':
      return random.below(100) > 0 ? random.bytes(random.pick([0, 1, 2, 7, 254, 255, 256, 400])) : 'text'
    default:
      return randomInteger(random, character)
  }
}

function sizeOf(format: string): number {
  try {
    return struct(format).size
  } catch {
    return 0
  }
}

function randomCase(random: SeededRandom): Case {
  const format = randomFormat(random)
  const characters = charactersOf(format)
  const values = characters.map((character) => randomValue(random, character))
  if (random.below(50) === 0) values.push(1)
  if (random.below(50) === 0) values.pop()
  const length = sizeOf(format) + (random.below(30) === 0 ? random.below(3) - 1 : 0)
  return { format, characters, values, bytes: random.bytes(Math.max(0, length)) }
}

function orNull<T>(run: () => T): T | null {
  try {
    return run()
  } catch {
    return null
  }
}

function toldAll(values: readonly unknown[], { characters }: Case): Told[] {
  return values.map((value, index) => told(value, characters[index]))
}

function ours(one: Case): Outcome {
  const { format, values, bytes } = one
  return {
    size: orNull(() => struct(format).size),
    packed: orNull(() => Buffer.from(struct(format).pack(values as StructValue[])).toString('hex')),
    unpacked: orNull(() => toldAll(struct(format).unpack(bytes), one)),
  }
}

function pythons(all: readonly Case[]): Outcome[] {
  const lines = all.map((one) =>
    JSON.stringify({ format: one.format, values: toldAll(one.values, one), bytes: one.bytes.toString('hex') }),
  )
  const input = `${lines.join('\n')}\n`
  const { status, stdout, stderr } = spawnSync('python3', [pythonProgram('struct_peer.py')], {
    input,
    encoding: 'utf8',
    maxBuffer: 1024 * 1024 * 1024,
  })
  expect(stderr).toBe('')
  expect(status).toBe(0)
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Outcome)
}

/** Python makes an infinity of a native `f` that is too large; we refuse it, as both do everywhere else. */
function becomesInfinite({ format, characters, values }: Case): boolean {
  return !/^[=<>!]/.test(format) && characters.some((one, index) => one === 'f' && isTooLarge(values[index]))
}

function isTooLarge(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && !Number.isFinite(Math.fround(value))
}

describe('struct beside Python', () => {
  test(`does the same with ${cases} random formats, values and bytes`, { timeout: 600_000 }, (context) => {
    const why = whyNoPython()
    if (why !== undefined) context.skip(why)
    const random = seededRandom(seed)
    const all = Array.from({ length: cases }, () => randomCase(random))
    const outcomes = pythons(all)
    expect(outcomes).toHaveLength(all.length)
    const different = all.flatMap((one, index) => {
      const python = outcomes[index] as Outcome
      const expected = becomesInfinite(one) ? { ...python, packed: null } : python
      const actual = ours(one)
      const isEqual = JSON.stringify(expected) === JSON.stringify(actual)
      return isEqual ? [] : [{ seed, format: one.format, values: toldAll(one.values, one), expected, actual }]
    })
    expect(different.slice(0, 3)).toEqual([])
    // Most must be possible, and enough refused, for this to say anything.
    const possible = (of: keyof Outcome): number => outcomes.filter((one) => one[of] !== null).length / cases
    for (const of of ['size', 'packed', 'unpacked'] as const) {
      expect(possible(of), of).toBeGreaterThan(0.4)
      expect(possible(of), of).toBeLessThan(0.98)
    }
  })
})
