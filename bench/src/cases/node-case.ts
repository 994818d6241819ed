/** What the cases share that ask an Ethereum node: every client in every setting, and one group of rows a figure. */

import type { Anvil } from '../../../examples/ethereum/src/anvil.ts'
import { withAnvils } from '../anvil-nodes.ts'
import { basePeer, loadNodePeers, targetedPeer } from '../node-peers/all-node-peers.ts'
import type { NodeAddresses, NodePeer } from '../node-peers/node-peer.ts'
import type { Setting } from '../pinned.ts'
import { groupRows, type Row, type Target } from '../table.ts'
import { type CaseRun, type Contender, interleave, measureAlone } from './bench-case.ts'

/** What one client measured in one setting: a result a round. */
export interface Outcome<Result> {
  readonly key: string
  readonly peer: NodePeer
  readonly setting: Setting
  readonly results: readonly Result[]
}

/** What a client is given beside the counts of its case. */
export interface ClientTask {
  readonly peer: string
  readonly node: NodeAddresses
}

/** Which role measures, and its task but for what all tasks have; `prepare` makes it once for each node. */
export interface ClientRole {
  readonly module: URL
  readonly prepare: (node: Anvil) => Promise<object>
}

/** Measures every client, one at a time, in processes of their own. */
export async function measureClients<Result>(run: CaseRun, role: ClientRole): Promise<Outcome<Result>[]> {
  const peers = await loadNodePeers()
  for (const { name, defaults } of peers.values()) run.note(`${name}: ${defaults}`)
  return await withAnvils(run, async (nodes) => {
    const contenders: (Contender<Result> & Omit<Outcome<Result>, 'results'>)[] = []
    for (const [setting, anvil] of nodes) {
      const node = { ipcPath: anvil.ipcPath, httpUrl: anvil.httpUrl }
      const counts = await role.prepare(anvil)
      for (const [key, peer] of peers) {
        const task = { ...counts, peer: key, node } satisfies ClientTask
        const sample = async (): Promise<Result> =>
          (await measureAlone({ module: role.module, task }, setting)) as Result
        contenders.push({ key, peer, setting, name: peer.name, sample })
      }
    }
    const samples = await interleave(run, contenders)
    return contenders.map((contender) => ({ ...contender, results: samples.get(contender) ?? [] }))
  })
}

/** One figure of a result. */
export interface Figure<Result> {
  readonly title: string
  readonly unit: string
  readonly of: (result: Result) => number
  /** For ours, pinned. */
  readonly target?: Target
}

/** A group of rows for each setting and figure, compared with the base client. */
export function figureRows<Result>(
  { settings }: CaseRun,
  outcomes: readonly Outcome<Result>[],
  figures: readonly Figure<Result>[],
): Row[] {
  return settings.flatMap((setting) => {
    const here = outcomes.filter((outcome) => outcome.setting === setting)
    const base = here.find(({ key }) => key === basePeer)?.peer.name
    return figures.flatMap(({ title, unit, of, target }) =>
      groupRows(
        { group: `${title}, ${setting}`, unit, base },
        here.map(({ key, peer, results }) => ({
          name: peer.name,
          samples: results.map(of),
          target: key === targetedPeer && setting === 'pinned' ? target : undefined,
        })),
      ),
    )
  })
}
