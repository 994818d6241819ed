/** A whole small call, from value to value, over shared memory and over the Unix socket that it takes the place of. */

import { spinUs } from '../mechanisms/shared-memory.ts'
import type { Setting } from '../pinned.ts'
import type { EchoCallResult } from '../roles/echo-call-client.ts'
import { groupRows, type Row, type Target } from '../table.ts'
import { type BenchCase, type CaseRun, type Contender, interleave, measurePair } from './bench-case.ts'

export const mechanismCalls: BenchCase = { name: 'mechanism-calls', measure }

const serverModule = new URL('../roles/echo-call-server.ts', import.meta.url)
const clientModule = new URL('../roles/echo-call-client.ts', import.meta.url)

const fullCounts = { warmUpCalls: 5_000, calls: 10_000 }
const quickCounts = { warmUpCalls: 50, calls: 100 }

const target: Target = { sign: '<=', limit: 0.85 }

/** The base first. */
const addresses: readonly { readonly name: string; readonly scheme: string; readonly parameters: string }[] = [
  { name: 'unix:', scheme: 'unix', parameters: '' },
  { name: 'shm:', scheme: 'shm', parameters: '' },
  { name: `shm:, spinUs=${spinUs}`, scheme: 'shm', parameters: `?spinUs=${spinUs}` },
]

async function measure(run: CaseRun): Promise<Row[]> {
  const contenders = run.settings.flatMap((setting) => addresses.map((address) => contend(run, address, setting)))
  const samples = await interleave(run, contenders)
  return run.settings.flatMap((setting) => {
    const here = contenders.filter((contender) => contender.setting === setting)
    const rows = (title: string, key: keyof EchoCallResult): Row[] =>
      groupRows(
        { group: `whole small call, ${title}, ${setting}`, unit: 'us', base: addresses[0]?.name },
        here.map((contender) => ({
          name: contender.name,
          samples: (samples.get(contender) ?? []).map((result) => result[key]),
          target: contender.name === 'shm:' && setting === 'pinned' && key === 'p50Us' ? target : undefined,
        })),
      )
    return [...rows('p50', 'p50Us'), ...rows('p99', 'p99Us')]
  })
}

function contend(
  run: CaseRun,
  { name, scheme, parameters }: (typeof addresses)[number],
  setting: Setting,
): Contender<EchoCallResult> {
  const counts = run.quick ? quickCounts : fullCounts
  const pair = {
    setting,
    server: { module: serverModule, task: { scheme, parameters } },
    client: { module: clientModule, task: { scheme, parameters, ...counts } },
  }
  return { name, setting, sample: async () => (await measurePair(run, pair)) as EchoCallResult }
}
