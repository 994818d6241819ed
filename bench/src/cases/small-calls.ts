/** Small calls over a Unix socket, one after the other and 64 in flight, at every peer. */

import type { Setting } from '../pinned.ts'
import { loadPeer, peerKeys } from '../peers/all-peers.ts'
import type { Peer } from '../peers/peer.ts'
import type { PeerClientResult } from '../roles/peer-client.ts'
import { groupRows, type Measured, type Row, type Target } from '../table.ts'
import { type BenchCase, type CaseRun, type Contender, interleave, measurePair } from './bench-case.ts'

export const smallCalls: BenchCase = { name: 'small-calls', measure }

const serverModule = new URL('../roles/peer-server.ts', import.meta.url)
const clientModule = new URL('../roles/peer-client.ts', import.meta.url)

const inFlight = 64
/** In flight the compiler is busy for longer, and with its threads on the same core it counts. */
const fullCounts = {
  warmUpCalls: 5_000,
  sequentialCalls: 10_000,
  inFlight,
  inFlightWarmUpCalls: 25_000,
  inFlightCalls: 75_000,
}
const quickCounts = { warmUpCalls: 100, sequentialCalls: 200, inFlight, inFlightWarmUpCalls: 200, inFlightCalls: 1_000 }

/** Ours, which the targets are for. */
const targeted: ReadonlySet<string> = new Set(['postern', 'postern-async'])
const p50Target: Target = { sign: '<=', limit: 1.3 }
const inFlightTarget: Target = { sign: '>=', limit: 2.2 }

interface Outcome {
  readonly key: string
  readonly peer: Peer
  readonly setting: Setting
  readonly results: readonly PeerClientResult[]
}

async function measure(run: CaseRun): Promise<Row[]> {
  const peers = new Map<string, Peer>()
  for (const key of peerKeys) peers.set(key, await loadPeer(key))
  for (const { name, defaults } of peers.values()) run.note(`${name}: ${defaults}`)
  const contenders = run.settings.flatMap((setting) =>
    [...peers].map(([key, peer]) => contend(run, key, peer, setting)),
  )
  const samples = await interleave(run, contenders)
  const outcomes = contenders.map((contender): Outcome => ({ ...contender, results: samples.get(contender) ?? [] }))
  return run.settings.flatMap((setting) =>
    rowsOf(
      outcomes.filter((outcome) => outcome.setting === setting),
      setting,
    ),
  )
}

function contend(
  run: CaseRun,
  key: string,
  peer: Peer,
  setting: Setting,
): Contender<PeerClientResult> & Omit<Outcome, 'results'> {
  const client = { module: clientModule, task: { peer: key, ...(run.quick ? quickCounts : fullCounts) } }
  const pair = { setting, server: { module: serverModule, task: { peer: key } }, client }
  return { key, peer, setting, name: peer.name, sample: async () => (await measurePair(run, pair)) as PeerClientResult }
}

function rowsOf(outcomes: readonly Outcome[], setting: Setting): Row[] {
  const nameOf = (wanted: string): string | undefined => outcomes.find(({ key }) => key === wanted)?.peer.name
  const echo = nameOf('raw-net')
  const loop = nameOf('newline-json')
  const concurrent = outcomes.filter(({ peer }) => peer.sequential !== true)
  return [
    ...groupRows({ group: `small call, p50, ${setting}`, unit: 'us', base: echo }, take(outcomes, 'p50Us', p50Target)),
    ...groupRows({ group: `small call, p99, ${setting}`, unit: 'us', base: echo }, take(outcomes, 'p99Us')),
    ...groupRows(
      { group: `${inFlight} calls in flight, ${setting}`, unit: 'calls/s', base: loop },
      take(concurrent, 'callsPerSecond', setting === 'pinned' ? inFlightTarget : undefined),
    ),
  ]
}

function take(outcomes: readonly Outcome[], what: keyof PeerClientResult, target?: Target): Measured[] {
  return outcomes.map(({ key, peer, results }) => ({
    name: peer.name,
    samples: results.map((result) => result[what] ?? Number.NaN),
    target: targeted.has(key) ? target : undefined,
  }))
}
