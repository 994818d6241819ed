/** Calls inside one process, so that what the library does is all that is timed; with and without a listener. */

import { tracingChannel } from 'node:diagnostics_channel'
import { type Connection, connect, serve } from 'postern'
import { costOf } from './cost.ts'
import { measureAs } from './role.ts'

/** What to measure. */
export interface TracingCostTask {
  readonly calls: number
}

/** Microseconds of a core for each call. */
export interface TracingCostResult {
  readonly untracedUs: number
  readonly askingUs: number
  readonly tracedUs: number
}

const channel = tracingChannel('postern:call')
const inFlight = 64

await measureAs<TracingCostTask>(measure)

async function measure({ calls }: TracingCostTask): Promise<TracingCostResult> {
  const server = await serve({ echo: (params: unknown) => params }, { at: 'memory:tracing-cost' })
  const connection = await connect('memory:tracing-cost', { postern: true })
  const each = async (work: () => unknown): Promise<number> => ((await costOf(work)).cpuMs / calls) * 1_000
  await callOften(connection, calls)
  const untracedUs = await each(() => callOften(connection, calls))
  // One question a side; a hundred times as many, since few of them take no time that can be told.
  const askingUs = (await each(() => askOften(2 * calls * 100))) / 100
  const ignore = (): void => undefined
  channel.asyncEnd.subscribe(ignore)
  await callOften(connection, calls)
  const tracedUs = await each(() => callOften(connection, calls))
  channel.asyncEnd.unsubscribe(ignore)
  await connection.close()
  await server.close()
  return { untracedUs, askingUs, tracedUs }
}

async function callOften(connection: Connection, calls: number): Promise<void> {
  let left = calls
  const one = async (): Promise<void> => {
    while (left-- > 0) await connection.call('echo', { text: 'postern postern postern' })
  }
  await Promise.all(Array.from({ length: inFlight }, one))
}

function askOften(times: number): number {
  let yes = 0
  for (let time = 0; time < times; time++) if (channel.hasSubscribers) yes++
  return yes
}
