/** A large trace from an Ethereum node: what it costs a client, and how long it keeps everything else waiting. */

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { loadNodePeer } from '../node-peers/all-node-peers.ts'
import type { NodeAddresses } from '../node-peers/node-peer.ts'
import { type Cost, collectGarbage, costOf, medianCost } from './cost.ts'
import { measureAs } from './role.ts'

/** What to measure. */
export interface NodeTraceTask {
  readonly peer: string
  readonly node: NodeAddresses
  /** Of the transaction. */
  readonly hash: string
  /** How many it has, which tells a whole trace from a part of one. */
  readonly steps: number
  readonly repeats: number
}

/** What was measured. */
export interface NodeTraceResult extends Cost {
  /** The longest time in which the event loop did nothing else. */
  readonly stallMs: number
}

/** How often the loop is looked at. It is subtracted, so a stall is right to about this much. */
const resolutionMs = 2

await measureAs<NodeTraceTask>(measure)

async function measure({ peer, node, hash, steps, repeats }: NodeTraceTask): Promise<NodeTraceResult> {
  const client = await (await loadNodePeer(peer)).connect(node)
  const trace = (): Promise<unknown> => client.call('debug_traceTransaction', [hash, {}])
  checkSteps(await trace(), steps)
  const costs: Cost[] = []
  for (let repeat = 0; repeat < repeats; repeat++) costs.push(await costOf(trace))
  const stallMs = await longestStall(trace)
  await client.close()
  return { ...medianCost(costs), stallMs }
}

function checkSteps(trace: unknown, steps: number): void {
  const { structLogs } = trace as { structLogs?: readonly unknown[] }
  if (structLogs?.length !== steps) throw new Error(`a trace of ${steps} steps came with ${structLogs?.length}`)
}

/** Watched in a run of its own, which costs the others nothing. */
async function longestStall(work: () => Promise<unknown>): Promise<number> {
  collectGarbage()
  const delay = monitorEventLoopDelay({ resolution: resolutionMs })
  delay.enable()
  await work()
  // The stall that the answer itself caused is recorded only when the loop has come round again.
  await pause(5 * resolutionMs)
  delay.disable()
  return Math.max(0, delay.max / 1_000_000 - resolutionMs)
}
