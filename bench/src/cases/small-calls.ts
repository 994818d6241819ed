/** Small calls over a Unix socket, one after the other and 64 in flight, at every peer. */

import type { Setting } from '../pinned.ts'
import { loadPeers } from '../peers/all-peers.ts'
import type { Peer } from '../peers/peer.ts'
import type { PeerClientResult } from '../roles/peer-client.ts'
import { type Group, groupRows, type Measured, type Row, type Target } from '../table.ts'
import { type BenchCase, type CaseRun, type Contender, interleave, measurePair } from './bench-case.ts'
import { besideBestLibrary } from './best-library.ts'

export const smallCalls: BenchCase = { name: 'small-calls', measure }

const serverModule = new URL('../roles/peer-server.ts', import.meta.url)
const clientModule = new URL('../roles/peer-client.ts', import.meta.url)

const inFlight = 64
/** In flight the compiler is busy for longer, and with its threads on the same core it counts. */
const fullCounts = {
  warmUpCalls: 5_000,
  sequentialCalls: 10_000,
  inFlight,
  inFlightWarmUp: { calls: 25_000, maxMs: 1_000 },
  inFlightMeasured: { calls: 75_000, maxMs: 2_000 },
}
const quickCounts = {
  warmUpCalls: 100,
  sequentialCalls: 200,
  inFlight,
  inFlightWarmUp: { calls: 200, maxMs: 1_000 },
  inFlightMeasured: { calls: 1_000, maxMs: 2_000 },
}

/** Ours, which the targets are for; the first is beside the libraries. */
const ours = 'postern'
const targeted: ReadonlySet<string> = new Set([ours, 'postern-async'])
const p50Target: Target = { sign: '<=', limit: 1.3 }
const libraryTarget: Target = { sign: '<', limit: 1 }
const inFlightTarget: Target = { sign: '>=', limit: 2.2 }

interface Outcome {
  readonly key: string
  readonly peer: Peer
  readonly setting: Setting
  readonly results: readonly PeerClientResult[]
}

async function measure(run: CaseRun): Promise<Row[]> {
  const peers = await loadPeers('small-calls')
  for (const { name, defaults } of peers.values()) run.note(`${name}: ${defaults}`)
  const { calls, maxMs } = (run.quick ? quickCounts : fullCounts).inFlightMeasured
  run.note(`in flight: ${calls.toLocaleString('en-US')} calls a round, or as many as ${maxMs / 1_000} s allow`)
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
  const p50 = { group: `small call, p50, ${setting}`, unit: 'us' }
  return [
    ...groupRows({ ...p50, base: echo }, take(outcomes, 'p50Us', p50Target)),
    ...libraryRows(p50, outcomes),
    ...groupRows({ group: `small call, p99, ${setting}`, unit: 'us', base: echo }, take(outcomes, 'p99Us')),
    ...groupRows(
      { group: `${inFlight} calls in flight, ${setting}`, unit: 'calls/s', base: loop },
      take(concurrent, 'callsPerSecond', setting === 'pinned' ? inFlightTarget : undefined),
    ),
  ]
}

/** Ours beside the libraries; the hand-written loops are floors, without what a library has to do. */
function libraryRows(group: Group, outcomes: readonly Outcome[]): Row[] {
  const libraries = outcomes.filter(({ peer }) => peer.library === true)
  const our = outcomes.filter(({ key }) => key === ours)
  return take(our, 'p50Us').flatMap((measured) =>
    besideBestLibrary(group, take(libraries, 'p50Us'), { ...measured, target: libraryTarget }),
  )
}

function take(outcomes: readonly Outcome[], what: keyof PeerClientResult, target?: Target): Measured[] {
  return outcomes.map(({ key, peer, results }) => ({
    name: peer.name,
    samples: results.map((result) => result[what] ?? Number.NaN),
    target: targeted.has(key) ? target : undefined,
  }))
}
