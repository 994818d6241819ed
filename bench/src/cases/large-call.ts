/** A large JSON call at a server: Postern's, which scans before it parses, beside thirty lines that do not. */

import type { CallServerTask } from '../roles/call-server.ts'
import type { Cost } from '../roles/cost.ts'
import { groupRows, type Row, type Target } from '../table.ts'
import {
  type BenchCase,
  type CaseRun,
  type Contender,
  costKinds,
  exposeGc,
  interleave,
  measurePair,
  megabytes,
} from './bench-case.ts'

export const largeCall: BenchCase = { name: 'large-call', measure }

const serverModule = new URL('../roles/call-server.ts', import.meta.url)
const clientModule = new URL('../roles/call-client.ts', import.meta.url)

const target: Target = { sign: '<=', limit: 1.6 }

type ServerKind = CallServerTask['server']
const names: Readonly<Record<ServerKind, string>> = { 'thirty-line': 'thirty-line server', postern: 'postern' }
const kinds: readonly ServerKind[] = ['thirty-line', 'postern']

interface CallContender extends Contender<Cost> {
  readonly kind: ServerKind
}

async function measure(run: CaseRun): Promise<Row[]> {
  const bytes = run.quick ? 1_000_000 : 20_000_000
  const contenders = run.settings.flatMap((setting) =>
    kinds.map((kind): CallContender => {
      const client = { module: clientModule, task: { bytes, repeats: run.quick ? 1 : 3 } }
      const pair = { setting, server: { module: serverModule, task: { server: kind } }, client, nodeArgs: exposeGc }
      return { kind, name: names[kind], setting, sample: async () => (await measurePair(run, pair)) as Cost }
    }),
  )
  const samples = await interleave(run, contenders)
  return run.settings.flatMap((setting) => {
    const here = contenders.filter((contender) => contender.setting === setting)
    return costKinds.flatMap(({ what, key }) => {
      const measured = here.map((contender) => ({
        name: contender.name,
        samples: (samples.get(contender) ?? []).map((cost) => cost[key]),
        target: contender.kind === 'postern' && setting === 'pinned' ? target : undefined,
      }))
      return groupRows(
        {
          group: `${megabytes(bytes)} call, ${what} of the ${key === 'wallMs' ? 'client' : 'server'}, ${setting}`,
          unit: 'ms',
          base: names['thirty-line'],
        },
        measured,
      )
    })
  })
}
