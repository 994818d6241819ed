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
  const peer = await loadNodePeer(task.peer)
  const client = await peer.connect(task.node)
  const answer = await client.call(method, params)
  if (answer !== '0x0') throw new Error(`${method} was answered with ${JSON.stringify(answer)}`)
  await timeOneByOne(client, task.warmUpCalls)
  const p50Us = percentile(await timeOneByOne(client, task.sequentialCalls), 50)
  await callsPerSecond(client, task.inFlight, task.warmUpCalls)
  const rate = await callsPerSecond(client, task.inFlight, task.inFlightCalls)
  await client.close()
  return { p50Us, callsPerSecond: rate }
}

async function timeOneByOne(client: NodeClient, calls: number): Promise<Float64Array> {
  const timesUs = new Float64Array(calls)
  for (let call = 0; call < calls; call++) {
    const start = performance.now()
    await client.call(method, params)
    timesUs[call] = (performance.now() - start) * 1_000
  }
  return timesUs
}

async function callsPerSecond(client: NodeClient, inFlight: number, calls: number): Promise<number> {
  const calling = { left: calls }
  const start = performance.now()
  await Promise.all(Array.from({ length: inFlight }, () => callUntilNoneLeft(client, calling)))
  return (calls / (performance.now() - start)) * 1_000
}

async function callUntilNoneLeft(client: NodeClient, calling: { left: number }): Promise<void> {
  while (calling.left-- > 0) await client.call(method, params)
}
