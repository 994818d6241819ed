/** A message there and back over every mechanism, from 64 B to 64 MB. */

import type { Setting } from '../pinned.ts'
import type { EchoTimes, MessageAmount } from '../roles/line-client.ts'
import { groupRows, type Measured, type Row, type Target } from '../table.ts'
import type { BenchCase, CaseRun } from './bench-case.ts'
import { type Carried, measureCarriers, sizeOf } from './mechanism-contenders.ts'

export const mechanismEcho: BenchCase = { name: 'mechanism-echo', measure }

const fullAmounts: readonly MessageAmount[] = [
  { bytes: 64, warmUp: 5_000, count: 10_000 },
  { bytes: 100, warmUp: 0, count: 10_000 },
  { bytes: 1_000, warmUp: 500, count: 5_000 },
  { bytes: 64_000, warmUp: 100, count: 1_000 },
  { bytes: 1_000_000, warmUp: 10, count: 100 },
  { bytes: 64_000_000, warmUp: 1, count: 4 },
]
const quickAmounts: readonly MessageAmount[] = [
  { bytes: 64, warmUp: 20, count: 100 },
  { bytes: 100, warmUp: 0, count: 100 },
  { bytes: 64_000, warmUp: 1, count: 5 },
]

/** What the targets are for. */
const judgedBytes = 100
const targets: readonly { readonly key: string; readonly setting: Setting; readonly target: Target }[] = [
  { key: 'shm', setting: 'pinned', target: { sign: '<=', limit: 0.65 } },
  { key: 'shm-spinning', setting: 'free', target: { sign: '<=', limit: 0.05 } },
]

async function measure(run: CaseRun): Promise<Row[]> {
  const amounts = run.quick ? quickAmounts : fullAmounts
  const carried = await measureCarriers<readonly EchoTimes[]>(run, { direction: 'echo', amounts })
  return run.settings.flatMap((setting) => {
    const here = carried.filter((each) => each.setting === setting)
    const base = here.find(({ key }) => key === 'raw-net')?.name
    return amounts.flatMap(({ bytes }, index) => {
      const rows = (title: string, key: keyof EchoTimes): Row[] =>
        groupRows(
          { group: `echo of ${sizeOf(bytes)}, ${title}, ${setting}`, unit: 'us', base },
          here.map((each) => take(each, index, key, bytes === judgedBytes && key === 'p50Us')),
        )
      return [...rows('p50', 'p50Us'), ...rows('p99', 'p99Us')]
    })
  })
}

function take(
  { key, name, setting, rounds }: Carried<readonly EchoTimes[]>,
  index: number,
  what: keyof EchoTimes,
  judged: boolean,
): Measured {
  const target = targets.find((each) => each.key === key && each.setting === setting)?.target
  const samples = rounds.map((times) => times[index]?.[what] ?? Number.NaN)
  return { name, samples, target: judged ? target : undefined }
}
