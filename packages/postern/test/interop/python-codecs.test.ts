import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { cbor } from '../../src/codecs/cbor.ts'
import type { BinaryCodec } from '../../src/codecs/codec.ts'
import { msgpack } from '../../src/codecs/msgpack.ts'
import { type SeededRandom, seededRandom } from '../../src/testing/seeded-random.ts'
import { pythonProgram } from './python.ts'

const cases = 500
const seed = Number(process.env['POSTERN_FUZZ_SEED'] ?? 1)

/** Another Python than the system's may be found first, without the system's packages. */
const pythons = ['python3', '/usr/bin/python3']
const python = pythons.find((one) => spawnSync(one, ['-c', 'import cbor2, msgpack']).status === 0)

/** A value as Python tells it. */
type Told = readonly [kind: string, contents?: unknown]

/** Whole numbers are integers, up to where they are no longer safe. */
function told(value: unknown): Told {
  if (value === null) return ['null']
  if (typeof value === 'boolean') return ['bool', value]
  if (typeof value === 'string') return ['text', Buffer.from(value).toString('hex')]
  if (value instanceof Uint8Array) return ['bytes', Buffer.from(value).toString('hex')]
  if (Array.isArray(value)) return ['list', value.map(told)]
  if (typeof value === 'object') return ['map', Object.entries(value).map(([key, item]) => [key, told(item)])]
  if (typeof value === 'bigint' || (Number.isSafeInteger(value) && !Object.is(value, -0))) return ['int', String(value)]
  const double = Buffer.alloc(8)
  double.writeDoubleBE(value as number)
  return ['float', double.toString('hex')]
}

const edges = [0, -0, 23, 24, 127, 128, 255, 256, 65_535, 65_536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53]
const lengths = [0, 1, 15, 16, 23, 24, 31, 32, 65, 255, 256, 70_000]

function randomValue(random: SeededRandom, depth: number): unknown {
  const size = random.pick([0, 1, 2, 3, 15, 16])
  switch (random.below(depth > 0 ? 8 : 6)) {
    case 0:
      return random.pick([null, true, false])
    case 1:
      return random.pick(edges) * random.pick([1, -1])
    case 2:
      return random.fraction() * 10 ** (random.below(600) - 300)
    case 3:
      return random.pick([2n ** 53n, 2n ** 60n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n, -(2n ** 60n), -(2n ** 63n)])
    case 4:
      return random.pick(['', 'a', 'é日本', '\u{1f511}\u0000', '\ufeff']).repeat(random.pick(lengths.slice(0, -1)))
    case 5:
      return new Uint8Array(random.pick(random.below(20) === 0 ? lengths : lengths.slice(0, -1))).fill(
        random.below(256),
      )
    case 6:
      return Array.from({ length: size }, () => randomValue(random, depth - 1))
    default:
      return Object.fromEntries(
        Array.from({ length: size }, (_, index) => [`é ${index}`, randomValue(random, depth - 1)]),
      )
  }
}

function askPython(codec: BinaryCodec, values: readonly unknown[]): { value: Told; bytes: string }[] {
  const lines = values.map((value) => JSON.stringify({ codec: codec.name, bytes: hexOf(codec, value) }))
  const { status, stdout, stderr } = spawnSync(python as string, [pythonProgram('codec_peer.py')], {
    input: `${lines.join('\n')}\n`,
    encoding: 'utf8',
    maxBuffer: 1024 * 1024 * 1024,
  })
  expect(stderr).toBe('')
  expect(status).toBe(0)
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { value: Told; bytes: string })
}

function hexOf(codec: BinaryCodec, value: unknown): string {
  return Buffer.from(codec.encode(value)).toString('hex')
}

test.for([msgpack, cbor])(
  `Python and $name read ${cases} random values of each other`,
  { timeout: 120_000 },
  (codec, { skip }) => {
    if (python === undefined) skip('the Python packages msgpack and cbor2 are missing')
    const random = seededRandom(seed)
    const values = Array.from({ length: cases }, () => randomValue(random, 3))
    const answers = askPython(codec, values)
    expect(answers).toHaveLength(cases)
    for (const [index, value] of values.entries()) {
      const answer = answers[index]
      expect(answer?.value, `seed ${seed}, value ${index}`).toEqual(told(value))
      expect(codec.decode(Buffer.from(answer?.bytes ?? '', 'hex')), `seed ${seed}, value ${index}`).toStrictEqual(value)
    }
  },
)
