/**
 * What the show has shown, told from what the daemon, the workers and the client say independently of each other.
 */

import type { Change } from './contract.ts'
import type { DemoResult } from './demo.ts'

export interface Verdict {
  /** What was shown. */
  readonly lines: readonly string[]
  /** What must not be. */
  readonly faults: readonly string[]
}

export function verdictOf({ submitted, jobs, begun, changes }: Omit<DemoResult, 'directory' | 'pids'>): Verdict {
  const timesBegun = (id: number): number => begun.filter((other) => other === id).length
  const repeated = jobs.filter(({ attempt }) => attempt > 1)
  const known = new Set(jobs.map(({ id }) => id))
  const faults = [
    ...submitted.filter((id) => !known.has(id)).map((id) => `job ${id} was acknowledged and is lost`),
    ...(jobs.length > new Set(submitted).size ? ['a submit was applied twice'] : []),
    ...jobs.filter(({ state }) => state !== 'done').map(({ id, state }) => `job ${id} is ${state}`),
    ...jobs
      .filter(({ id, attempt }) => timesBegun(id) > attempt)
      .map(({ id, attempt }) => `job ${id} was begun ${timesBegun(id)} times and says ${attempt}`),
    ...changes.filter((seen) => !isWhole(seen)).map(([first]) => `following job ${first?.id} was not exact`),
  ]
  const lines = [
    `${submitted.length} submits were acknowledged, ${jobs.length} jobs are in the queue, all done.`,
    `${jobs.length - repeated.length} were begun once.`,
    ...repeated.map(({ id, attempt }) => `job ${id} was repeated, and says so: attempt ${attempt}.`),
    `following them gave ${changes.flat().length} changes, none twice and none left out.`,
  ]
  return { lines, faults }
}

/** Whether the changes of a job are in order and lead from one state to the next. */
function isWhole(changes: readonly Change[]): boolean {
  const next = { queued: ['running'], running: ['queued', 'done'], done: [], failed: [], cancelled: [] } as const
  const [first] = changes
  return (
    first?.state === 'queued' &&
    changes.at(-1)?.state === 'done' &&
    changes.every((change, index) => {
      const before = changes[index - 1]
      if (before === undefined) return true
      return before.seq < change.seq && (next[before.state] as readonly string[]).includes(change.state)
    })
  )
}
