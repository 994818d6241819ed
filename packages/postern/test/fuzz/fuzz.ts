/**
 * Runs a check with one damaged input after the other.
 *
 * A failure names its seed. `POSTERN_FUZZ_SEED=n` begins with that one. `POSTERN_FUZZ_SECONDS=n` is the time for each
 * decoder, 2 by default; `POSTERN_FUZZ_INPUTS=n` the number of inputs instead.
 */

import { randomInt } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { type ErrorCode, isPosternError } from '../../src/core/errors.ts'
import { type SeededRandom, seededRandom } from '../../src/testing/seeded-random.ts'
import { mutated } from './mutator.ts'

const inputs = Number(process.env['POSTERN_FUZZ_INPUTS'] ?? Number.POSITIVE_INFINITY)
const seconds = inputs === Number.POSITIVE_INFINITY ? Number(process.env['POSTERN_FUZZ_SECONDS'] ?? 2) : 3_600
const firstSeed = Number(process.env['POSTERN_FUZZ_SEED'] ?? randomInt(2 ** 31))

/** Of the inputs that are tried, the share which at least must be more than noise to the decoder. */
const leastDeep = 0.3

/** So many inputs fill the caches; what is held after them must not become more. */
const warmInputs = 5_000
const maxGrowthBytes = 8 * 1024 * 1024

/** Checks one input; whether it got past the decoder's first state. */
export type FuzzCheck = (bytes: Buffer, random: SeededRandom) => boolean

/** Makes a damaged input. */
export type Mutate = (corpus: readonly Buffer[], random: SeededRandom) => Buffer

/** A test that runs the check while its time lasts, and then says what it has run. */
export function fuzz(name: string, corpus: readonly Buffer[], check: FuzzCheck, mutate: Mutate = mutated): void {
  test(`${name} survives damaged input`, { timeout: (seconds + 30) * 1_000 }, () => {
    const end = performance.now() + seconds * 1_000
    let run = 0
    let deep = 0
    let warmHeap = 0
    for (; run < inputs && performance.now() < end; run++) {
      if (run === warmInputs) warmHeap = heapInUse()
      const random = seededRandom(firstSeed + run)
      const bytes = mutate(corpus, random)
      try {
        if (check(bytes, random)) deep++
      } catch (cause) {
        throw new Error(
          `POSTERN_FUZZ_SEED=${firstSeed + run} fails with ${JSON.stringify(bytes.toString('latin1'))} (as latin1)`,
          { cause },
        )
      }
    }
    const growth = warmHeap === 0 ? 0 : heapInUse() - warmHeap
    const figures = `${run.toLocaleString('en')} inputs, ${Math.round((100 * deep) / run)} % past the first state`
    process.stdout.write(`fuzz ${name}: ${figures}, memory ${Math.round(growth / 1024)} KB more than at the start\n`)
    expect(deep / run).toBeGreaterThanOrEqual(leastDeep)
    expect(growth).toBeLessThan(maxGrowthBytes)
  })
}

/** What the call gives, or the code of the error that it throws; an error of any other code passes through. */
export function outcome<T>(run: () => T, codes: readonly ErrorCode[]): { value: T } | { code: ErrorCode } {
  try {
    return { value: run() }
  } catch (error) {
    if (isPosternError(error) && codes.includes(error.code)) return { code: error.code }
    throw error
  }
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

function heapInUse(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
