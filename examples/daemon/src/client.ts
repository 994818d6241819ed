/**
 * What every client of the daemon does: connects with patience, and follows a job over restarts of the daemon.
 */

import { type Connection, connect } from 'postern'
import { adminAddress, type Change, jobs, jobsAddress } from './contract.ts'

export type JobConnection = Connection<typeof jobs.members>

/** A daemon that is restarted is waited for, and soon found again. Calls of that time go on by themselves. */
const limits = { connectMs: 30_000, retries: 100, retryMaxMs: 500 }

/** Connects, also to a daemon that is only just being started. */
export function connectToDaemon(): Promise<JobConnection> {
  return connect(jobsAddress, jobs, { limits })
}

/** The same for what only an admin may do. */
export function connectAsAdmin(): Promise<JobConnection> {
  return connect(adminAddress, jobs, { limits })
}

/** Each change of a job until it has ended, none twice and none left out, also when the daemon is killed meanwhile. */
export async function* follow({ api }: JobConnection, id: number, signal?: AbortSignal): AsyncGenerator<Change> {
  let after = 0
  const goOn = () => ({ id, after })
  for await (const change of api.watch(goOn(), { onGap: goOn, ...(signal && { signal }) })) {
    after = change.seq
    yield change
  }
}
