/** What a call pays for being traceable: while nobody listens, and while somebody does. */

import type { TracingCostResult } from '../roles/tracing-cost.ts'
import { groupRows, type Row, type Target } from '../table.ts'
import { type BenchCase, type CaseRun, interleave, measureAlone } from './bench-case.ts'

export const tracingCost: BenchCase = { name: 'tracing-cost', measure }

const module = new URL('../roles/tracing-cost.ts', import.meta.url)

/** All that a call does more while nobody listens are its two questions, one a side. */
const target: Target = { sign: '<=', limit: 0.02 }

async function measure(run: CaseRun): Promise<Row[]> {
  const setting = run.settings[0] ?? 'free'
  const task = { calls: run.quick ? 2_000 : 200_000 }
  const sample = async (): Promise<TracingCostResult> =>
    (await measureAlone({ module, task }, setting)) as TracingCostResult
  const contender = { name: 'tracing', setting, sample }
  const results = (await interleave(run, [contender])).get(contender) ?? []
  const samples = (key: keyof TracingCostResult): number[] => results.map((result) => result[key])
  const base = 'a call, nobody listens'
  return groupRows({ group: `tracing, both sides of a call inside one process, CPU, ${setting}`, unit: 'us', base }, [
    { name: base, samples: samples('untracedUs') },
    { name: 'of that, asking whether anybody does', samples: samples('askingUs'), target },
    { name: 'a call, somebody listens', samples: samples('tracedUs') },
  ])
}
