/**
 * Serves a queue: what each call of the contract does, and when it is refused.
 */

import { isDeepStrictEqual } from 'node:util'
import { type HandlersOf, type ServeOptions, type Server, serve } from 'postern'
import {
  adminAddress,
  type Attempt,
  type Change,
  hasEnded,
  type Job,
  jobs,
  jobsAddress,
  type State,
} from './contract.ts'
import { Dispatch } from './dispatch.ts'
import type { End, Queue } from './queue.ts'

export type JobServer = Server<typeof jobs.members>

/** Where and how. */
export interface ServeJobsOptions {
  readonly at?: ServeOptions['at']
  /** Jobs that may wait or run: what nobody works off must not fill the disk. Default 10,000. */
  readonly maxOpenJobs?: number
  /** How long the jobs of a worker that was lost are kept for it, before others get them. Default 2 s. */
  readonly returnMs?: number
}

const publicAndAdmin: ServeOptions['at'] = [jobsAddress, { address: adminAddress, access: ['admin'] }]

/** Payloads and results are for references to large things, not for the things: a list may hold a hundred of them. */
const limits = { maxCallBytes: 256 * 1024 }

/** Serves until the server is closed; the queue may be closed after it. */
export async function serveJobs(
  queue: Queue,
  { at = publicAndAdmin, maxOpenJobs = 10_000, returnMs = 2_000 }: ServeJobsOptions = {},
): Promise<JobServer> {
  let server: JobServer | undefined
  const dispatch = new Dispatch(queue, returnMs, (change: Change) => server?.emit.changed(change))
  const handlers = {
    ...forEverybody(queue, dispatch, maxOpenJobs),
    ...forWorkers(queue, dispatch),
    ...forAdmins(queue, dispatch, () => server?.connections ?? 0),
  }
  server = await serve(jobs, handlers, { at, limits })
  return server
}

type All = HandlersOf<typeof jobs.members>

function forEverybody(
  queue: Queue,
  dispatch: Dispatch,
  maxOpenJobs: number,
): Pick<All, 'submit' | 'get' | 'list' | 'cancel' | 'watch'> {
  return {
    submit({ name, payload, key }, ctx) {
      const known = key === undefined ? undefined : queue.withKey(key)
      if (known !== undefined) {
        if (known.name === name && isDeepStrictEqual(known.payload, payload)) return known
        throw ctx.fail('key_taken', { id: known.id })
      }
      if (queue.openJobs >= maxOpenJobs) throw ctx.fail('queue_full', { maxOpenJobs })
      const job = queue.add({ name, payload, key })
      dispatch.announce()
      return job
    },
    get: ({ id }, ctx) => existing(queue.get(id), ctx),
    list: (selection) => queue.list(selection),
    cancel({ id }, ctx) {
      const job = existing(queue.get(id), ctx)
      if (job.state === 'cancelled') return job
      if (hasEnded(job)) throw ctx.fail('already_done', { state: job.state })
      queue.end(id, { state: 'cancelled' })
      dispatch.announce()
      return { ...job, state: 'cancelled' }
    },
    // Not a generator itself, so that it refuses at once.
    watch({ id, after }, ctx) {
      existing(queue.get(id), ctx)
      return dispatch.changesOf(id, after, ctx.signal)
    },
  }
}

interface SettleContext {
  fail(code: 'no_such_job'): Error
  fail(code: 'lease_lost', details: { readonly state: State; readonly attempt: number }): Error
}

function forWorkers(queue: Queue, dispatch: Dispatch): Pick<All, 'work' | 'finish' | 'fail'> {
  const settle = ({ id, attempt }: Attempt, end: End, ctx: SettleContext): void => {
    const job = existing(queue.get(id), ctx)
    // The call was repeated.
    if (job.attempt === attempt && job.state === end.state) return
    if (job.attempt !== attempt || hasEnded(job))
      throw ctx.fail('lease_lost', { state: job.state, attempt: job.attempt })
    queue.end(id, end)
    dispatch.announce()
  }
  return {
    work: (worker, ctx) => dispatch.jobsFor(worker, ctx.signal),
    finish: ({ result, ...attempt }, ctx) => settle(attempt, { state: 'done', result }, ctx),
    fail: ({ error, ...attempt }, ctx) => settle(attempt, { state: 'failed', error }, ctx),
  }
}

function forAdmins(
  queue: Queue,
  dispatch: Dispatch,
  connections: () => number,
): Pick<All, 'pause' | 'resume' | 'purge' | 'stats'> {
  return {
    pause: () => {
      queue.paused = true
    },
    resume: () => {
      queue.paused = false
      dispatch.wake()
    },
    purge: ({ olderThanMs }) => ({ purged: queue.purge(Date.now() - olderThanMs) }),
    stats: () => ({ jobs: queue.counts(), paused: queue.paused, connections: connections() }),
  }
}

function existing(job: Job | undefined, ctx: { fail(code: 'no_such_job'): Error }): Job {
  if (job === undefined) throw ctx.fail('no_such_job')
  return job
}
