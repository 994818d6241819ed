/** Many messages one way over every mechanism, until the other side has them all, beside copies in memory. */

import type { Setting } from '../pinned.ts'
import type { FlowRate, MessageAmount } from '../roles/line-client.ts'
import { groupRows, type Measured, type Row, type Target } from '../table.ts'
import type { BenchCase, CaseRun } from './bench-case.ts'
import { type Carried, measureCarriers, sizeOf } from './mechanism-contenders.ts'

export const mechanismFlow: BenchCase = { name: 'mechanism-flow', measure }

const fullAmounts: readonly MessageAmount[] = [
  { bytes: 64, warmUp: 50_000, count: 200_000 },
  { bytes: 1_000, warmUp: 10_000, count: 100_000 },
  { bytes: 64_000, warmUp: 500, count: 5_000 },
  { bytes: 1_000_000, warmUp: 30, count: 300 },
  { bytes: 64_000_000, warmUp: 1, count: 6 },
]
const quickAmounts: readonly MessageAmount[] = [
  { bytes: 64, warmUp: 100, count: 1_000 },
  { bytes: 64_000, warmUp: 5, count: 20 },
  { bytes: 4_000_000, warmUp: 0, count: 1 },
]

/** The largest of the bytes through the rings, which are copied in and out again, beside one copy. */
const judgedKey = 'shm-bytes'
const copyKey = 'c-memcpy'
const targets: Readonly<Record<Setting, Target>> = {
  pinned: { sign: '>=', limit: 0.35 },
  free: { sign: '>=', limit: 0.8 },
}

type Flow = Carried<readonly FlowRate[]>

async function measure(run: CaseRun): Promise<Row[]> {
  const amounts = run.quick ? quickAmounts : fullAmounts
  const carried: readonly Flow[] = await measureCarriers<readonly FlowRate[]>(run, { direction: 'flow', amounts })
  return run.settings.flatMap((setting) => {
    const here = carried.filter((each) => each.setting === setting)
    const base = here.find(({ key }) => key === 'raw-net')?.name
    return amounts.flatMap(({ bytes }, index) => [
      ...groupRows(
        { group: `${sizeOf(bytes)} messages one way, ${setting}`, unit: unitFor(bytes), base },
        here.map((each) => take(each, index, unitFor(bytes))),
      ),
      ...(index === amounts.length - 1 ? besideCopy(here, { bytes, index, setting }) : []),
    ])
  })
}

interface Judged {
  readonly bytes: number
  /** Of these bytes among the amounts. */
  readonly index: number
  readonly setting: Setting
}

function besideCopy(here: readonly Flow[], { bytes, index, setting }: Judged): Row[] {
  const copy = here.find(({ key }) => key === copyKey)
  const judged = here.find(({ key }) => key === judgedKey)
  if (copy === undefined || judged === undefined) return []
  return groupRows(
    { group: `${sizeOf(bytes)} through the ring, beside a copy, ${setting}`, unit: 'GB/s', base: copy.name },
    [take(copy, index, 'GB/s'), { ...take(judged, index, 'GB/s'), target: targets[setting] }],
  )
}

const bytesIn = { 'MB/s': 1_000_000, 'GB/s': 1_000_000_000 } as const

/** What small messages reach has no digits before the point in the larger one. */
function unitFor(bytes: number): keyof typeof bytesIn {
  return bytes < 64_000 ? 'MB/s' : 'GB/s'
}

function take({ name, rounds }: Flow, index: number, unit: keyof typeof bytesIn): Measured {
  return { name, samples: rounds.map((rates) => (rates[index]?.bytesPerSecond ?? Number.NaN) / bytesIn[unit]) }
}
