/** Messages of each size over one mechanism: there and back, or many one way. */

import { loadMechanism } from '../mechanisms/all-mechanisms.ts'
import { OrderedLine } from '../mechanisms/line-order.ts'
import { percentile } from '../stats.ts'
import { measureAs } from './role.ts'

/** What to measure. */
export interface LineClientTask {
  readonly mechanism: string
  readonly path: string
  readonly direction: Direction
  readonly amounts: readonly MessageAmount[]
}

export type Direction = 'echo' | 'flow'

/** So many messages of one size, behind those that warm up. */
export interface MessageAmount {
  readonly bytes: number
  readonly warmUp: number
  readonly count: number
}

/** Of messages there and back. */
export interface EchoTimes {
  readonly p50Us: number
  readonly p99Us: number
}

/** Of messages one way, until the other side has them all. */
export interface FlowRate {
  readonly bytesPerSecond: number
}

/** Of each amount, in the order of the task. */
export type LineResult = readonly EchoTimes[] | readonly FlowRate[]

await measureAs<LineClientTask>(measure)

async function measure({ mechanism, path, direction, amounts }: LineClientTask): Promise<LineResult> {
  const line = new OrderedLine(await (await loadMechanism(mechanism)).connect(path))
  const results: (EchoTimes | FlowRate)[] = []
  for (const amount of amounts) results.push(await (direction === 'echo' ? echoes(line, amount) : flow(line, amount)))
  line.close()
  return results as LineResult
}

async function echoes(line: OrderedLine, { bytes, warmUp, count }: MessageAmount): Promise<EchoTimes> {
  const message = Buffer.alloc(bytes, 'postern ')
  const timesUs = new Float64Array(count)
  await line.beginEcho(bytes, warmUp + count)
  for (let trip = -warmUp; trip < count; trip++) {
    const start = performance.now()
    await line.echo(message)
    if (trip >= 0) timesUs[trip] = (performance.now() - start) * 1_000
  }
  return { p50Us: percentile(timesUs, 50), p99Us: percentile(timesUs, 99) }
}

async function flow(line: OrderedLine, { bytes, warmUp, count }: MessageAmount): Promise<FlowRate> {
  const message = Buffer.alloc(bytes, 'postern ')
  if (warmUp > 0) await line.flow(message, warmUp)
  const startMs = performance.now()
  await line.flow(message, count)
  return { bytesPerSecond: (bytes * count * 1_000) / (performance.now() - startMs) }
}
