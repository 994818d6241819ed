/**
 * A worker: takes jobs from the daemon, does them, and keeps what it is doing while the daemon is away.
 */

import { isDeclaredError, isPosternError } from 'postern'
import type { JobConnection } from './client.ts'
import { type Attempt, type Job, jobs, maxErrorLength } from './contract.ts'
import type { Tasks } from './tasks.ts'

/** How a worker works. */
export interface RunJobsOptions {
  /** Its name, for people. */
  readonly worker: string
  /** What it can do. */
  readonly tasks: Tasks
  /** How many jobs it runs at once. */
  readonly slots: number
  /** Told of each job's begin and end. */
  readonly log: (line: string) => void
  /** Gives everything back when it aborts: the daemon lets others do what is not finished. */
  readonly signal: AbortSignal
}

/** An attempt under way. */
interface Run extends Attempt {
  readonly stop: AbortController
}

/** Works until the signal aborts, or another worker comes with the same name. */
export async function runJobs(connection: JobConnection, options: RunJobsOptions): Promise<void> {
  const { worker, slots, signal, tasks, log } = options
  const running = new Map<number, Run>()
  const wish = () => ({ worker, slots, holding: [...running.values()].map(({ id, attempt }) => ({ id, attempt })) })
  const stopCancelled = ({ id, state }: { readonly id: number; readonly state: string }): void => {
    if (state === 'cancelled') running.get(id)?.stop.abort()
  }
  // Of a job that is cancelled while the daemon is away, the worker hears when it has finished it.
  using _listening = connection.on.changed(stopCancelled, { onGap: () => undefined })
  try {
    // A job is not waited for: who always asks for the next item is back at once where the daemon was away.
    for await (const job of connection.api.work(wish(), { signal, onGap: wish })) {
      // The daemon gave it to another meanwhile, and that one was lost too.
      running.get(job.id)?.stop.abort()
      const run: Run = { id: job.id, attempt: job.attempt, stop: new AbortController() }
      running.set(job.id, run)
      void runOne(connection, { job, stopped: run.stop.signal, tasks, log }).finally(() => {
        if (running.get(job.id) === run) running.delete(job.id)
      })
    }
  } catch (error) {
    if (!isPosternError(error, 'cancelled')) throw error
  } finally {
    for (const { stop } of running.values()) stop.abort()
  }
}

interface OneRun extends Pick<RunJobsOptions, 'tasks' | 'log'> {
  readonly job: Job
  readonly stopped: AbortSignal
}

async function runOne({ api }: JobConnection, { job, stopped, tasks, log }: OneRun): Promise<void> {
  const { id, attempt } = job
  log(`job ${id} begun, attempt ${attempt}`)
  const fail = async (why: string): Promise<void> => {
    await api.fail({ id, attempt, error: why.slice(0, maxErrorLength) })
    log(`job ${id} failed: ${why}`)
  }
  try {
    const outcome = await outcomeOf(job, stopped, tasks)
    if (stopped.aborted) return log(`job ${id} dropped`)
    if ('error' in outcome) return await fail(outcome.error)
    try {
      await api.finish({ id, attempt, result: outcome.result })
      log(`job ${id} done`)
    } catch (error) {
      // A result that cannot be sent would never be: too large, or nothing that JSON carries.
      if (!isPosternError(error, 'limit_exceeded') && !(error instanceof TypeError)) throw error
      await fail(`its result was refused: ${error.message}`)
    }
  } catch (error) {
    const lost = isDeclaredError(error, jobs.members.finish, 'lease_lost')
    log(lost ? `job ${id} is ${error.details.state} without us` : `job ${id}: ${String(error)}`)
  }
}

type Outcome = { readonly result: Job['result'] } | { readonly error: string }

async function outcomeOf({ name, payload }: Job, signal: AbortSignal, tasks: Tasks): Promise<Outcome> {
  const task = tasks.get(name)
  if (task === undefined) return { error: `no task ${JSON.stringify(name)}; there are ${[...tasks.keys()].join(', ')}` }
  try {
    return { result: await task(payload, signal) }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  }
}
