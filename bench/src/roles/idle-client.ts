/** Opens many connections with one call on each, and says what they cost the server and the calls of others. */

import { payload } from '../peers/peer.ts'
import { percentile } from '../stats.ts'
import { connectThirtyLine, type ThirtyLineClient } from '../thirty-line-client.ts'
import type { Memory } from './idle-server.ts'
import { measureAs } from './role.ts'

/** What to measure. */
export interface IdleClientTask {
  readonly path: string
  /** How many idle connections, each more than the one before. */
  readonly counts: readonly number[]
  /** Of a new connection that is timed. */
  readonly calls: number
}

/** What was measured with one number of idle connections; the first is with none. */
export interface IdleStep {
  readonly connections: number
  readonly memory: Memory
  readonly p50Us: number
}

/** Fewer than the backlog of a server, 511. */
const atOnce = 100

/** Opened and closed before the first measurement; few, since later ones take the memory that they leave. */
const rehearsed = 50

await measureAs<IdleClientTask>(measure)

async function measure({ path, counts, calls }: IdleClientTask): Promise<IdleStep[]> {
  const rehearsal = await openMore(path, rehearsed)
  for (const client of rehearsal) client.close()
  await timeCalls(path, calls)
  const observer = await connectThirtyLine(path)
  await observer.call('memory', {})
  const idle: ThirtyLineClient[] = []
  const steps: IdleStep[] = []
  for (const connections of [0, ...counts]) {
    idle.push(...(await openMore(path, connections - idle.length)))
    const memory = (await observer.call('memory', {})) as Memory
    steps.push({ connections, memory, p50Us: await timeCalls(path, calls) })
  }
  for (const client of [observer, ...idle]) client.close()
  return steps
}

async function openMore(path: string, count: number): Promise<ThirtyLineClient[]> {
  const opened: ThirtyLineClient[] = []
  while (opened.length < count) {
    const length = Math.min(atOnce, count - opened.length)
    opened.push(...(await Promise.all(Array.from({ length }, () => connectAndCall(path)))))
  }
  return opened
}

async function connectAndCall(path: string): Promise<ThirtyLineClient> {
  const client = await connectThirtyLine(path)
  await client.call('echo', payload)
  return client
}

/** On a new connection, from its first call on. */
async function timeCalls(path: string, calls: number): Promise<number> {
  const client = await connectThirtyLine(path)
  const timesUs: number[] = []
  for (let call = 0; call < calls; call++) {
    const start = performance.now()
    await client.call('echo', payload)
    timesUs.push((performance.now() - start) * 1_000)
  }
  client.close()
  return percentile(timesUs, 50)
}
