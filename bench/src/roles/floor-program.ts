/** Runs the C program of the floor and hands over what it found out. */

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Direction, LineResult, MessageAmount } from './line-client.ts'
import { measureAs } from './role.ts'

/** What to run. */
export interface FloorTask {
  readonly program: string
  readonly wire: FloorWire
  readonly direction: Direction
  readonly amounts: readonly MessageAmount[]
}

export type FloorWire = 'socket' | 'eventfd' | 'spinning' | 'memcpy'

type FloorResult = readonly { readonly p50Ns: number; readonly p99Ns: number; readonly bytesPerSecond: number }[]

await measureAs<FloorTask>(measure)

async function measure({ program, wire, direction, amounts }: FloorTask): Promise<LineResult> {
  const plans = amounts.map(({ bytes, warmUp, count }) => `${bytes}:${warmUp}:${count}`)
  const { stdout } = await promisify(execFile)(program, [wire, direction, ...plans])
  const results = JSON.parse(stdout) as FloorResult
  if (direction === 'echo') return results.map(({ p50Ns, p99Ns }) => ({ p50Us: p50Ns / 1_000, p99Us: p99Ns / 1_000 }))
  return results.map(({ bytesPerSecond }) => ({ bytesPerSecond }))
}
