/** The same large answer of every peer, at a client and from a server of its own, from value to value. */

import { loadPeers } from '../peers/all-peers.ts'
import type { Cost } from '../roles/cost.ts'
import { groupRows, type Row } from '../table.ts'
import { type BenchCase, type CaseRun, costKinds, exposeGc, interleave, measurePair, megabytes } from './bench-case.ts'

export const peerAnswers: BenchCase = { name: 'peer-answers', measure }

const serverModule = new URL('../roles/peer-server.ts', import.meta.url)
const clientModule = new URL('../roles/peer-answer-client.ts', import.meta.url)

const base = 'thirty-line'

async function measure(run: CaseRun): Promise<Row[]> {
  const bytes = run.quick ? 1_000_000 : 20_000_000
  const setting = run.settings[0] ?? 'free'
  const peers = await loadPeers('peer-answers')
  for (const { name, defaults } of peers.values()) run.note(`${name}: ${defaults}`)
  const contenders = [...peers].map(([key, { name }]) => {
    const client = { module: clientModule, task: { peer: key, bytes } }
    const pair = { setting, server: { module: serverModule, task: { peer: key } }, client, nodeArgs: exposeGc }
    return { name, setting, sample: async () => (await measurePair(run, pair)) as Cost }
  })
  const samples = await interleave(run, contenders)
  return costKinds.flatMap(({ what, key }) =>
    groupRows(
      {
        group: `${megabytes(bytes)} answer of each peer's own server, ${what} of the client, ${setting}`,
        unit: 'ms',
        base: peers.get(base)?.name,
      },
      contenders.map((contender) => ({
        name: contender.name,
        samples: (samples.get(contender) ?? []).map((cost) => cost[key]),
      })),
    ),
  )
}
