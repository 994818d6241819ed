/**
 * What the daemon offers: the one file that its clients share with it.
 */

import { contract, event, method, stream } from 'postern'
import { z } from 'zod'

/** Where everybody finds the daemon. */
export const jobsAddress = 'local:jobs'

/** Where it also takes what only an admin may do. */
export const adminAddress = 'local:jobs-admin'

const State = z.enum(['queued', 'running', 'done', 'failed', 'cancelled'])
export type State = z.infer<typeof State>

/** Whether nothing more will happen to a job. */
export function hasEnded({ state }: { readonly state: State }): boolean {
  return state === 'done' || state === 'failed' || state === 'cancelled'
}

/** One attempt at a job, by which a worker holds it. Who takes a job over makes the next attempt. */
const Attempt = z.object({ id: z.int().min(1), attempt: z.int().min(1) })
export type Attempt = z.infer<typeof Attempt>

const Job = z.object({
  id: z.int(),
  name: z.string(),
  payload: z.json(),
  state: State,
  /** How often it was begun: more than once only when a worker was lost. */
  attempt: z.int(),
  /** Who runs it, or did last. */
  worker: z.string().nullable(),
  /** What the task gave, when it is done. */
  result: z.json(),
  /** Why not, when it has failed. */
  error: z.string().nullable(),
})
export type Job = z.infer<typeof Job>

const Change = z.object({
  /** Numbers all changes of all jobs. */
  seq: z.int(),
  id: z.int(),
  state: State,
  attempt: z.int(),
  worker: z.string().nullable(),
  atMs: z.int(),
})
export type Change = z.infer<typeof Change>

/** Why a job has failed is a sentence, not a log. */
export const maxErrorLength = 10_000

const Id = z.int().min(1)
const noSuchJob = { no_such_job: null }
/** Another worker has the job by now, or it has ended: what it is instead. */
const leaseLost = { lease_lost: z.object({ state: State, attempt: z.int() }) }

export const jobs = contract('jobs', {
  submit: method({
    summary: 'Puts a job into the queue; with a key that was used before, answers the job of then',
    params: z.object({
      /** What is to be done: one of the worker's tasks. */
      name: z.string().min(1).max(100),
      payload: z.json().default(null),
      /** Who submits again after a lost connection gets one job by it, and two without it. */
      key: z.string().min(1).max(200).optional(),
    }),
    returns: Job,
    errors: { queue_full: z.object({ maxOpenJobs: z.int() }), key_taken: z.object({ id: z.int() }) },
    idempotent: true,
  }),
  get: method({
    summary: 'A job as it is now',
    params: z.object({ id: Id }),
    returns: Job,
    errors: noSuchJob,
    idempotent: true,
  }),
  list: method({
    summary: 'Jobs, the newest first; go on before the last id',
    params: z
      .object({ state: State.optional(), before: Id.optional(), limit: z.int().min(1).max(100).default(50) })
      .prefault({}),
    returns: z.array(Job),
    idempotent: true,
  }),
  cancel: method({
    summary: 'Takes a job out of the queue, or stops it',
    params: z.object({ id: Id }),
    returns: Job,
    errors: { ...noSuchJob, already_done: z.object({ state: State }) },
    idempotent: true,
  }),
  watch: stream({
    summary: 'Each change of a job until it has ended; to go on where a stream broke off, give the last seq as after',
    params: z.object({ id: Id, after: z.int().min(0).default(0) }),
    yields: Change,
  }),
  changed: event({ payload: Change, summary: 'A job changed its state' }),

  work: stream({
    summary: 'For workers: jobs to run, held until they are finished or the stream ends',
    params: z.object({
      worker: z.string().min(1).max(100),
      /** How many jobs it runs at once. */
      slots: z.int().min(1).max(64).default(1),
      /** Attempts that are still running after a lost connection: the worker keeps those that nobody took over. */
      holding: z.array(Attempt).max(64).default([]),
    }),
    yields: Job,
  }),
  finish: method({
    summary: 'For workers: the job is done',
    params: Attempt.extend({ result: z.json().default(null) }),
    errors: { ...noSuchJob, ...leaseLost },
    idempotent: true,
  }),
  fail: method({
    summary: 'For workers: the job cannot be done',
    params: Attempt.extend({ error: z.string().max(maxErrorLength) }),
    errors: { ...noSuchJob, ...leaseLost },
    idempotent: true,
  }),

  pause: method({ access: 'admin', summary: 'Gives no more jobs to workers, also after a restart', idempotent: true }),
  resume: method({ access: 'admin', summary: 'Gives jobs to workers again', idempotent: true }),
  purge: method({
    access: 'admin',
    summary: 'Forgets jobs that ended before that long, with their keys',
    params: z.object({ olderThanMs: z.int().min(0).default(0) }).prefault({}),
    returns: z.object({ purged: z.int() }),
  }),
  stats: method({
    access: 'admin',
    summary: 'How many jobs are in which state, and how many connections there are',
    returns: z.object({ jobs: z.record(State, z.int()), paused: z.boolean(), connections: z.int() }),
    idempotent: true,
  }),
})
