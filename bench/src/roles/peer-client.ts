/** Small calls of one peer: one after the other, then many in flight. */

import { isDeepStrictEqual } from 'node:util'
import { loadPeer } from '../peers/all-peers.ts'
import { type PeerClient, payload } from '../peers/peer.ts'
import { percentile } from '../stats.ts'
import { measureAs } from './role.ts'

/** What to measure. */
export interface PeerClientTask {
  readonly peer: string
  readonly path: string
  readonly warmUpCalls: number
  readonly sequentialCalls: number
  readonly inFlight: number
  readonly inFlightWarmUp: Amount
  readonly inFlightMeasured: Amount
}

/** So many calls, or as many as the time allows. */
export interface Amount {
  readonly calls: number
  readonly maxMs: number
}

/** What was measured; `callsPerSecond` only of a peer that can have several calls in flight. */
export interface PeerClientResult {
  readonly p50Us: number
  readonly p99Us: number
  readonly callsPerSecond?: number
}

await measureAs<PeerClientTask>(measure)

async function measure(task: PeerClientTask): Promise<PeerClientResult> {
  const peer = await loadPeer(task.peer)
  const client = await peer.connect(task.path)
  await checkEcho(client)
  await timeOneByOne(client, task.warmUpCalls)
  const timesUs = await timeOneByOne(client, task.sequentialCalls)
  const result = { p50Us: percentile(timesUs, 50), p99Us: percentile(timesUs, 99) }
  if (peer.sequential === true) return result
  await callsPerSecond(client, task.inFlight, task.inFlightWarmUp)
  const rate = await callsPerSecond(client, task.inFlight, task.inFlightMeasured)
  await client.close()
  return { ...result, callsPerSecond: rate }
}

async function checkEcho(client: PeerClient): Promise<void> {
  const answer = await client.call('echo', payload)
  if (!isDeepStrictEqual(answer, payload)) throw new Error(`the echo came back as ${JSON.stringify(answer)}`)
}

async function timeOneByOne(client: PeerClient, calls: number): Promise<Float64Array> {
  const timesUs = new Float64Array(calls)
  for (let call = 0; call < calls; call++) {
    const start = performance.now()
    await client.call('echo', payload)
    timesUs[call] = (performance.now() - start) * 1_000
  }
  return timesUs
}

async function callsPerSecond(client: PeerClient, inFlight: number, { calls, maxMs }: Amount): Promise<number> {
  const calling: Calling = { left: calls, done: 0 }
  const timer = setTimeout(() => {
    calling.left = 0
  }, maxMs)
  const start = performance.now()
  await Promise.all(Array.from({ length: inFlight }, () => callUntilNoneLeft(client, calling)))
  clearTimeout(timer)
  return (calling.done / (performance.now() - start)) * 1_000
}

interface Calling {
  left: number
  done: number
}

async function callUntilNoneLeft(client: PeerClient, calling: Calling): Promise<void> {
  while (calling.left-- > 0) {
    await client.call('echo', payload)
    calling.done++
  }
}
