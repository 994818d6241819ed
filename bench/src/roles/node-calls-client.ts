/** Small calls of one client to an Ethereum node: one after the other, then many in flight. */

import { loadNodePeer } from '../node-peers/all-node-peers.ts'
import type { NodeAddresses, NodeClient } from '../node-peers/node-peer.ts'
import { percentile } from '../stats.ts'
import { measureAs } from './role.ts'

/** What to measure. */
export interface NodeCallsTask {
  readonly peer: string
  readonly node: NodeAddresses
  readonly warmUpCalls: number
  readonly sequentialCalls: number
  readonly inFlight: number
  readonly inFlightCalls: number
  /** For each of these parts: a client that is not done by then has made fewer calls. */
  readonly partMs: number
}

/** What was measured. */
export interface NodeCallsResult {
  readonly p50Us: number
  readonly callsPerSecond: number
}

const method = 'eth_blockNumber'
const params: readonly unknown[] = []

await measureAs<NodeCallsTask>(measure)

async function measure(task: NodeCallsTask): Promise<NodeCallsResult> {
  const { warmUpCalls, sequentialCalls, inFlight, inFlightCalls, partMs } = task
  const peer = await loadNodePeer(task.peer)
  const client = await peer.connect(task.node)
  const answer = await client.call(method, params)
  if (answer !== '0x0') throw new Error(`${method} was answered with ${JSON.stringify(answer)}`)
  await timeOneByOne(client, { calls: warmUpCalls, partMs })
  const p50Us = percentile(await timeOneByOne(client, { calls: sequentialCalls, partMs }), 50)
  await callsPerSecond(client, inFlight, { calls: warmUpCalls, partMs })
  const rate = await callsPerSecond(client, inFlight, { calls: inFlightCalls, partMs })
  await client.close()
  return { p50Us, callsPerSecond: rate }
}

/** How long a part goes on: so many calls, or so long. */
interface Part {
  readonly calls: number
  readonly partMs: number
}

async function timeOneByOne(client: NodeClient, { calls, partMs }: Part): Promise<Float64Array> {
  const timesUs = new Float64Array(calls)
  let made = 0
  const endMs = performance.now() + partMs
  for (let start = performance.now(); made < calls && start < endMs; ) {
    await client.call(method, params)
    const end = performance.now()
    timesUs[made++] = (end - start) * 1_000
    start = end
  }
  return timesUs.subarray(0, made)
}

async function callsPerSecond(client: NodeClient, inFlight: number, { calls, partMs }: Part): Promise<number> {
  const start = performance.now()
  const calling: Calling = { left: calls, made: 0, endMs: start + partMs }
  await Promise.all(Array.from({ length: inFlight }, () => callUntilEnd(client, calling)))
  return (calling.made / (performance.now() - start)) * 1_000
}

/** What those share that call side by side. */
interface Calling {
  left: number
  made: number
  readonly endMs: number
}

async function callUntilEnd(client: NodeClient, calling: Calling): Promise<void> {
  while (calling.left > 0 && performance.now() < calling.endMs) {
    calling.left--
    await client.call(method, params)
    calling.made++
  }
}
