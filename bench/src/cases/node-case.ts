/** What the cases share that ask an Ethereum node: every client in every setting, and one group of rows a figure. */

import type { Anvil } from '../../../examples/ethereum/src/anvil.ts'
import { withAnvils } from '../anvil-nodes.ts'
import { basePeer, loadNodePeers, targetedPeer } from '../node-peers/all-node-peers.ts'
import type { NodeAddresses, NodePeer } from '../node-peers/node-peer.ts'
import type { Setting } from '../pinned.ts'
import { median } from '../stats.ts'
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
  /** In how many rounds a slow client takes part; default all. */
  readonly slowRounds?: number
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
        const rounds = peer.slow === true ? role.slowRounds : undefined
        contenders.push({ key, peer, setting, name: peer.name, rounds, sample })
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
  /** For ours beside the base client, pinned. */
  readonly target?: Target
  /** For ours beside the library that does best, in every setting: ahead of it is ahead of all. */
  readonly libraryTarget?: Target
}

/** For each setting and figure, a group of rows compared with the base client, and one with the best library. */
export function figureRows<Result>(
  { settings }: CaseRun,
  outcomes: readonly Outcome<Result>[],
  figures: readonly Figure<Result>[],
): Row[] {
  return settings.flatMap((setting) => {
    const here = outcomes.filter((outcome) => outcome.setting === setting)
    return figures.flatMap((figure) => [...clientRows(figure, here, setting), ...libraryRows(figure, here, setting)])
  })
}

function clientRows<Result>(
  { title, unit, of, target }: Figure<Result>,
  outcomes: readonly Outcome<Result>[],
  setting: Setting,
): Row[] {
  const base = outcomes.find(({ key }) => key === basePeer)?.peer.name
  return groupRows(
    { group: `${title}, ${setting}`, unit, base },
    outcomes.map(({ key, peer, results }) => ({
      name: peer.name,
      samples: results.map(of),
      target: key === targetedPeer && setting === 'pinned' ? target : undefined,
    })),
  )
}

function libraryRows<Result>(
  { title, unit, of, libraryTarget }: Figure<Result>,
  outcomes: readonly Outcome<Result>[],
  setting: Setting,
): Row[] {
  const ours = outcomes.find(({ key }) => key === targetedPeer)
  if (libraryTarget === undefined || ours === undefined) return []
  const libraries = outcomes
    .filter(({ peer }) => peer.library === true)
    .map(({ peer, results }) => ({ name: peer.name, samples: results.map(of) }))
    .sort((a, b) => median(a.samples) - median(b.samples))
  const best = libraryTarget.sign === '>=' ? libraries.at(-1) : libraries[0]
  if (best === undefined) return []
  // A slow library has taken part in fewer rounds than ours.
  const samples = ours.results.slice(0, best.samples.length).map(of)
  return groupRows({ group: `${title}, ${setting}, beside the best library`, unit, base: best.name }, [
    best,
    { name: ours.peer.name, samples, target: libraryTarget },
  ])
}
