/** A large trace from an Ethereum node: what it costs a client, and how long it keeps everything else waiting. */

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { loadNodePeer } from '../node-peers/all-node-peers.ts'
import type { NodeAddresses } from '../node-peers/node-peer.ts'
import { type Cost, collectGarbage, costOf, medianCost } from './cost.ts'
import { peakMemoryMb } from './node-peak-memory.ts'
import { measureAs } from './role.ts'

/** What to measure. */
export interface NodeTraceTask {
  readonly peer: string
  readonly node: NodeAddresses
  /** Of the transaction. */
  readonly hash: string
  /** How many it has, which tells a whole trace from a part of one. */
  readonly steps: number
  /** Of a client that is not slow. */
  readonly repeats: number
}

/** What was measured. */
export interface NodeTraceResult extends Watched {
  /** Of the whole process, with Node and all that it has loaded. */
  readonly peakMb: number
}

interface Watched extends Cost {
  /** The longest time in which the event loop did nothing else. */
  readonly stallMs: number
}

/** How often the loop is looked at. It is subtracted, so a stall is right to about this much. */
const resolutionMs = 2

await measureAs<NodeTraceTask>(measure)

async function measure({ peer: key, node, hash, steps, repeats }: NodeTraceTask): Promise<NodeTraceResult> {
  const peer = await loadNodePeer(key)
  const client = await peer.connect(node)
  const trace = async (): Promise<void> => checkSteps(await client.call('debug_traceTransaction', [hash, {}]), steps)
  const watched = peer.slow === true ? await watchOnce(trace) : await watchWarm(trace, repeats)
  const peakMb = peakMemoryMb()
  await client.close()
  return { ...watched, peakMb }
}

function checkSteps(trace: unknown, steps: number): void {
  const { structLogs } = trace as { structLogs?: readonly unknown[] }
  if (structLogs?.length !== steps) throw new Error(`a trace of ${steps} steps came with ${structLogs?.length}`)
}

/** After one to warm up, and with the stall in a run of its own, which costs the others nothing. */
async function watchWarm(work: () => Promise<void>, repeats: number): Promise<Watched> {
  await work()
  const costs: Cost[] = []
  for (let repeat = 0; repeat < repeats; repeat++) costs.push(await costOf(work))
  return { ...medianCost(costs), stallMs: await longestStall(work) }
}

/** All in one run: beside its seconds, neither a cold start nor being watched counts. */
async function watchOnce(work: () => Promise<void>): Promise<Watched> {
  let stallMs = 0
  const cost = await costOf(async () => {
    stallMs = await longestStall(work)
  })
  return { ...cost, stallMs }
}

async function longestStall(work: () => Promise<void>): Promise<number> {
  collectGarbage()
  const delay = monitorEventLoopDelay({ resolution: resolutionMs })
  delay.enable()
  await work()
  // The stall that the answer itself caused is recorded only when the loop has come round again.
  await pause(5 * resolutionMs)
  delay.disable()
  return Math.max(0, delay.max / 1_000_000 - resolutionMs)
}
