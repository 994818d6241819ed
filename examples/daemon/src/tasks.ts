/**
 * What workers can do: the part to replace by your own.
 */

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { Job } from './contract.ts'

/** Does a job with its payload. What it throws is why the job has failed. The signal aborts when the job is cancelled. */
type Task = (payload: Job['payload'], signal: AbortSignal) => Promise<Job['result']>

export type Tasks = ReadonlyMap<string, Task>

export const tasks: Tasks = new Map<string, Task>([
  ['sleep', sleepFor],
  ['digest', digestOf],
])

const longestSleepMs = 86_400_000

async function sleepFor(payload: unknown, signal: AbortSignal): Promise<null> {
  const { ms } = z.object({ ms: z.number().min(0).max(longestSleepMs) }).parse(payload)
  await sleep(ms, undefined, { signal })
  return null
}

/** The SHA-256 of a file. */
async function digestOf(payload: unknown, signal: AbortSignal): Promise<string> {
  const { path } = z.object({ path: z.string() }).parse(payload)
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash, { signal })
  return hash.digest('hex')
}
