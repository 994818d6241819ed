import { join } from 'node:path'
import { connect } from 'postern'
import { expect, onTestFinished, test } from 'vitest'
import { follow } from './client.ts'
import { type Job, jobs } from './contract.ts'
import { Queue } from './queue.ts'
import { runJobs } from './run-jobs.ts'
import { serveJobs } from './serve-jobs.ts'
import type { Tasks } from './tasks.ts'
import { testDirectory } from './test-daemon.ts'

/** What becomes of a job for each task, done one after the other by a worker with one slot. */
async function outcomesOf(tasks: Tasks): Promise<Job[]> {
  const directory = await testDirectory()
  const at = `unix:${join(directory, 'jobs')}`
  const queue = new Queue(join(directory, 'jobs.db'))
  onTestFinished(() => queue.close())
  const server = await serveJobs(queue, { at })
  onTestFinished(() => server.close())
  const connection = await connect(at, jobs)
  const stop = new AbortController()
  const { api } = connection
  for (const name of [...tasks.keys(), 'unknown']) await api.submit({ name })
  const working = runJobs(connection, { worker: 'anna', tasks, slots: 1, log: () => undefined, signal: stop.signal })
  for await (const _change of follow(connection, tasks.size + 1)) continue
  stop.abort()
  await working
  const outcomes = await api.list()
  await connection.close()
  return outcomes.toReversed()
}

test('runJobs acknowledges each job whatever its task does, also over a lost connection, so that the next is given', async () => {
  const outcomes = await outcomesOf(
    new Map([
      ['fine', async () => ({ sum: 3 })],
      ['throws', async () => await Promise.reject(new Error(`no${'!'.repeat(20_000)}`))],
      ['tooLarge', async () => 'x'.repeat(300_000)],
      ['notJson', async () => Number.NaN],
    ]),
  )
  expect(outcomes.map(({ name, state }) => [name, state])).toEqual([
    ['fine', 'done'],
    ['throws', 'failed'],
    ['tooLarge', 'failed'],
    ['notJson', 'failed'],
    ['unknown', 'failed'],
  ])
  const errors = outcomes.map(({ error }) => error ?? '')
  expect(errors[1]).toMatch(/^no!{9998}$/)
  expect(errors[2]).toMatch(/^its result was refused: .*limits\.maxCallBytes \(262144\)/)
  expect(errors[3]).toMatch(/^its result was refused: /)
  expect(errors[4]).toBe('no task "unknown"; there are fine, throws, tooLarge, notJson')
})
