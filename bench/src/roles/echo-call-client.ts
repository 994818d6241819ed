/** Small calls, one after the other, at an address. */

import { connect } from 'postern'
import { payload } from '../peers/peer.ts'
import { percentile } from '../stats.ts'
import { measureAs } from './role.ts'

/** What to measure, and where: an address, but for its path. */
export interface EchoCallClientTask {
  readonly scheme: string
  readonly path: string
  readonly parameters: string
  readonly warmUpCalls: number
  readonly calls: number
}

export interface EchoCallResult {
  readonly p50Us: number
  readonly p99Us: number
}

await measureAs<EchoCallClientTask>(measure)

async function measure({ scheme, path, parameters, warmUpCalls, calls }: EchoCallClientTask): Promise<EchoCallResult> {
  const connection = await connect(`${scheme}:${path}${parameters}`)
  const timesUs = new Float64Array(calls)
  for (let call = -warmUpCalls; call < calls; call++) {
    const start = performance.now()
    await connection.call('echo', payload)
    if (call >= 0) timesUs[call] = (performance.now() - start) * 1_000
  }
  await connection.close()
  return { p50Us: percentile(timesUs, 50), p99Us: percentile(timesUs, 99) }
}
