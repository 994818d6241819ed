/** What it costs that the JSON codec rounds no integer. */

import type { IntegerCheckResult } from '../roles/integer-check.ts'
import { groupRows, type Row } from '../table.ts'
import { type BenchCase, type CaseRun, interleave, measureAlone, megabytes } from './bench-case.ts'

export const integerCheck: BenchCase = { name: 'integer-check', measure }

const module = new URL('../roles/integer-check.ts', import.meta.url)

/** In the order of the role's `ways`. */
const ways = ['JSON.parse alone', 'postern json.decode', 'postern json.decode, integers unchecked'] as const

async function measure(run: CaseRun): Promise<Row[]> {
  const bytes = run.quick ? 1_000_000 : 20_000_000
  const task = run.quick ? { bytes, repeats: 1, smallDecodes: 1_000 } : { bytes, repeats: 3, smallDecodes: 200_000 }
  const setting = run.settings[0] ?? 'free'
  const sample = async (round: number): Promise<IntegerCheckResult> =>
    (await measureAlone({ module, task: { ...task, first: round % ways.length } }, setting)) as IntegerCheckResult
  const contender = { name: 'all ways in turn', setting, sample }
  const results = (await interleave(run, [contender])).get(contender) ?? []
  const measured = (key: keyof IntegerCheckResult): { name: string; samples: number[] }[] =>
    ways.map((name, way) => ({ name, samples: results.map((result) => result[key][way] ?? Number.NaN) }))
  const base = ways[0]
  return [
    ...groupRows(
      { group: `exact integers, decoding ${megabytes(bytes)}, ${setting}`, unit: 'ms', base },
      measured('largeMs'),
    ),
    ...groupRows({ group: `exact integers, decoding 100 bytes, ${setting}`, unit: 'us', base }, measured('smallUs')),
  ]
}
