import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { lastDaemon, Queue } from './queue.ts'
import { testDirectory } from './test-daemon.ts'

let file = ''

beforeEach(async () => {
  file = join(await testDirectory(), 'jobs.db')
})

function openQueue(): Queue {
  const queue = new Queue(file)
  onTestFinished(() => queue.close())
  return queue
}

function add(queue: Queue, ...names: readonly string[]): void {
  for (const name of names) queue.add({ name, payload: { of: name } })
}

describe('Queue', () => {
  test('gives each job once, the oldest first', () => {
    const queue = openQueue()
    add(queue, 'a', 'b')
    expect(queue.take('anna', 1)).toEqual({
      id: 1,
      name: 'a',
      payload: { of: 'a' },
      state: 'running',
      attempt: 1,
      worker: 'anna',
      result: null,
      error: null,
    })
    expect(queue.take('ben', 2)).toMatchObject({ id: 2, worker: 'ben' })
    expect(queue.take('ben', 2)).toBeUndefined()
    expect([queue.held(1), queue.held(2), queue.openJobs]).toEqual([1, 1, 2])
  })

  test('keeps the jobs of a stream that broke off for their worker, and lets go of them when told', () => {
    const queue = openQueue()
    add(queue, 'a')
    queue.take('anna', 1)
    queue.release(1)
    expect(queue.get(1)).toMatchObject({ state: 'queued', attempt: 1 })
    expect(queue.take('ben', 2)).toBeUndefined()
    queue.letGo(1)
    expect(queue.take('ben', 2)).toMatchObject({ id: 1, attempt: 2, worker: 'ben' })
  })

  test('lets a worker that is back go on, but not with what was taken over', () => {
    const queue = openQueue()
    add(queue, 'a', 'b')
    queue.take('anna', 1)
    queue.take('anna', 1)
    queue.release(1)
    queue.keep({ id: 1, attempt: 1 }, 2)
    queue.letGo(1)
    expect(queue.get(1)).toMatchObject({ state: 'running', attempt: 1, worker: 'anna' })
    expect(queue.take('ben', 3)).toMatchObject({ id: 2, attempt: 2 })
    queue.keep({ id: 2, attempt: 1 }, 2)
    expect([queue.held(2), queue.held(3)]).toEqual([1, 1])
  })

  test('gives a job up when three workers were lost with it', () => {
    const queue = openQueue()
    add(queue, 'a')
    for (const holder of [1, 2, 3]) {
      expect(queue.take('anna', holder)?.attempt).toBe(holder)
      queue.release(holder)
      queue.letGo(holder)
    }
    expect(queue.take('anna', 4)).toBeUndefined()
    expect(queue.get(1)).toMatchObject({ state: 'failed', error: 'given up: 3 workers were lost while they ran it' })
  })

  test('opened again has everything, and what was running for the workers that ran it', () => {
    const before = openQueue()
    before.add({ name: 'a', payload: null, key: 'k' })
    add(before, 'b', 'c')
    before.take('anna', 1)
    before.take('anna', 1)
    before.end(2, { state: 'done', result: { sum: 3 } })
    before.paused = true
    before.close()
    expect(readdirSync(join(file, '..'))).toEqual(['jobs.db'])

    const queue = openQueue()
    expect(queue.list({ limit: 10 }).map(({ id, state, result }) => [id, state, result])).toEqual([
      [3, 'queued', null],
      [2, 'done', { sum: 3 }],
      [1, 'queued', null],
    ])
    expect(queue.withKey('k')?.id).toBe(1)
    expect(queue.take('ben', 1)).toBeUndefined()
    queue.paused = false
    expect(queue.take('ben', 1)?.id).toBe(3)
    queue.keep({ id: 1, attempt: 1 }, 2)
    queue.letGo(lastDaemon)
    expect(queue.get(1)).toMatchObject({ state: 'running', attempt: 1, worker: 'anna' })
  })

  test('is refused to a second daemon', () => {
    openQueue()
    expect(() => new Queue(file)).toThrow(/jobs\.db belongs to a daemon that runs; stop it, or/)
  })

  test('numbers the changes of all jobs, also after a purge', () => {
    const queue = openQueue()
    add(queue, 'a', 'b')
    queue.take('anna', 1)
    queue.end(1, { state: 'failed', error: 'no' })
    expect(queue.changes(0, 1).map(({ seq, state, worker }) => [seq, state, worker])).toEqual([
      [1, 'queued', null],
      [3, 'running', 'anna'],
      [4, 'failed', 'anna'],
    ])
    expect(queue.changes(3)).toMatchObject([{ seq: 4, id: 1 }])
    const [, ended] = [queue.changes(0, 1).at(0), queue.changes(0, 1).at(-1)]
    expect(queue.purge((ended?.atMs ?? 0) - 1)).toBe(0)
    expect(queue.purge(ended?.atMs ?? 0)).toBe(1)
    expect(queue.changes(0)).toMatchObject([{ seq: 2, id: 2 }])
    expect(queue.counts()).toEqual({ queued: 1, running: 0, done: 0, failed: 0, cancelled: 0 })
    add(queue, 'c')
    expect(queue.lastSeq).toBe(5)
  })
})
