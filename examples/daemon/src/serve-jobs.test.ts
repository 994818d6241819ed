import { join } from 'node:path'
import { connect, isDeclaredError, isPosternError, type ItemStream } from 'postern'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { JobConnection } from './client.ts'
import { type Attempt, type Change, type Job, jobs } from './contract.ts'
import { Queue } from './queue.ts'
import { serveJobs } from './serve-jobs.ts'
import { testDirectory } from './test-daemon.ts'

const { members } = jobs

/** Counts the daemons of this file, since each has its own name. */
let started = 0
let address = ''
let client: JobConnection

beforeEach(async () => {
  await start({ returnMs: 60_000 })
})

async function start(rules: { readonly returnMs?: number; readonly maxOpenJobs?: number }): Promise<void> {
  const queue = new Queue(join(await testDirectory(), 'jobs.db'))
  onTestFinished(() => queue.close())
  address = `memory:jobs-${++started}`
  const at = [address, { address: `${address}-admin`, access: ['admin'] }]
  const server = await serveJobs(queue, { at, ...rules })
  onTestFinished(() => server.close())
  client = await connectAt(address)
}

async function connectAt(place: string): Promise<JobConnection> {
  const connection = await connect(place, jobs, { reconnect: false })
  onTestFinished(() => connection.abort())
  return connection
}

async function submit(...names: readonly string[]): Promise<void> {
  for (const name of names) await client.api.submit({ name })
}

async function refusalOf(call: Promise<unknown>): Promise<unknown> {
  return await call.then(
    () => expect.unreachable('it was not refused'),
    (error: unknown) => error,
  )
}

describe('submit', () => {
  test('answers the same job for the same key, and refuses the key for another', async () => {
    const { api } = client
    const job = await api.submit({ name: 'a', payload: { x: 1, y: [2] }, key: 'k' })
    expect(await api.submit({ key: 'k', payload: { y: [2], x: 1 }, name: 'a' })).toEqual(job)
    const error = await refusalOf(api.submit({ name: 'b', key: 'k' }))
    expect(isDeclaredError(error, members.submit, 'key_taken') && error.details).toEqual({ id: job.id })
    expect(await api.list()).toHaveLength(1)
  })

  test('refuses more jobs than may be open', async () => {
    await start({ maxOpenJobs: 2 })
    await submit('a', 'b')
    const error = await refusalOf(client.api.submit({ name: 'c' }))
    expect(isDeclaredError(error, members.submit, 'queue_full') && error.details).toEqual({ maxOpenJobs: 2 })
    await client.api.cancel({ id: 1 })
    expect(await client.api.submit({ name: 'c' })).toMatchObject({ id: 3, state: 'queued' })
  })
})

describe('get, list and cancel', () => {
  test('tell jobs as they are, page by page', async () => {
    const { api } = client
    await submit('a', 'b', 'c')
    await api.cancel({ id: 2 })
    const names = async (params: Parameters<typeof api.list>[0]): Promise<string[]> =>
      (await api.list(params)).map(({ name }) => name)
    expect(await names(undefined)).toEqual(['c', 'b', 'a'])
    expect(await names({ limit: 2 })).toEqual(['c', 'b'])
    expect(await names({ limit: 2, before: 2 })).toEqual(['a'])
    expect(await names({ state: 'cancelled' })).toEqual(['b'])
    expect(await api.get({ id: 2 })).toMatchObject({ name: 'b', state: 'cancelled' })
  })

  test('refuse jobs that do not exist, and to cancel what has ended otherwise', async () => {
    const { api } = client
    expect(isDeclaredError(await refusalOf(api.get({ id: 9 })), members.get, 'no_such_job')).toBe(true)
    expect(isDeclaredError(await refusalOf(api.cancel({ id: 9 })), members.cancel, 'no_such_job')).toBe(true)
    await submit('a', 'b')
    await worker('anna').next()
    await api.finish({ id: 1, attempt: 1 })
    const error = await refusalOf(api.cancel({ id: 1 }))
    expect(isDeclaredError(error, members.cancel, 'already_done') && error.details).toEqual({ state: 'done' })
    expect(await api.cancel({ id: 2 })).toEqual(await api.cancel({ id: 2 }))
  })
})

/** A worker's stream of jobs, on the connection given or on the client's. */
function worker(name: string, { connection = client, slots = 1, holding = [] as Attempt[] } = {}): ItemStream<Job> {
  return connection.api.work({ worker: name, slots, holding })
}

async function idOf(job: Promise<IteratorResult<Job, undefined>>): Promise<number | undefined> {
  return (await job).value?.id
}

describe('work', () => {
  test('gives a worker as many jobs as it has slots, and the next when one has ended', async () => {
    const { api } = client
    await submit('a', 'b', 'c', 'd')
    const anna = worker('anna', { slots: 2 })
    expect([await idOf(anna.next()), await idOf(anna.next())]).toEqual([1, 2])
    const third = anna.next()
    expect(await idOf(worker('ben').next())).toBe(3)
    await api.fail({ id: 2, attempt: 1, error: 'no' })
    expect(await idOf(third)).toBe(4)
    expect((await api.list()).map(({ state, error, worker }) => [state, error, worker])).toEqual([
      ['running', null, 'anna'],
      ['running', null, 'ben'],
      ['failed', 'no', 'anna'],
      ['running', null, 'anna'],
    ])
  })

  test('gives a job that is submitted to a worker that waits', async () => {
    const waiting = worker('anna').next()
    await submit('a')
    expect(await waiting).toMatchObject({ value: { id: 1, name: 'a', attempt: 1 } })
  })

  test('gives the jobs of a connection that has ended to another', async () => {
    await start({ returnMs: 1 })
    await submit('a', 'b')
    const anna = await connectAt(address)
    expect(await idOf(worker('anna', { connection: anna, slots: 2 }).next())).toBe(1)
    const ben = worker('ben')
    const waiting = ben.next()
    anna.abort()
    expect(await waiting).toMatchObject({ value: { id: 1, attempt: 2, worker: 'ben' } })
    const error = await refusalOf(client.api.finish({ id: 1, attempt: 1, result: 'late' }))
    expect(isDeclaredError(error, members.finish, 'lease_lost') && error.details).toEqual({
      state: 'running',
      attempt: 2,
    })
  })

  test('lets a worker that is back in time go on with what it holds', async () => {
    await submit('a', 'b')
    const before = await connectAt(address)
    expect(await idOf(worker('anna', { connection: before }).next())).toBe(1)
    before.abort()
    const back = worker('anna', { holding: [{ id: 1, attempt: 1 }] })
    const next = back.next()
    await back.ready
    await client.api.finish({ id: 1, attempt: 1, result: 'kept' })
    expect(await idOf(next)).toBe(2)
    expect(await client.api.get({ id: 1 })).toMatchObject({ state: 'done', attempt: 1, result: 'kept' })
  })

  test('gives a worker its place though its old connection is still there', async () => {
    await submit('a', 'b')
    const old = worker('anna', { connection: await connectAt(address) })
    expect(await idOf(old.next())).toBe(1)
    const back = worker('anna', { holding: [{ id: 1, attempt: 1 }] })
    const next = back.next()
    expect(await old.next()).toEqual({ done: true, value: undefined })
    await client.api.finish({ id: 1, attempt: 1 })
    expect(await next).toMatchObject({ value: { id: 2, attempt: 1 } })
  })

  test('takes the end of an attempt twice, as it comes from a call that was repeated', async () => {
    const { api } = client
    await submit('a')
    await worker('anna').next()
    await api.finish({ id: 1, attempt: 1, result: { sum: 3 } })
    await api.finish({ id: 1, attempt: 1, result: { sum: 3 } })
    expect(await api.get({ id: 1 })).toMatchObject({ state: 'done', result: { sum: 3 } })
    const error = await refusalOf(api.fail({ id: 1, attempt: 1, error: 'no' }))
    expect(isDeclaredError(error, members.fail, 'lease_lost')).toBe(true)
  })
})

describe('watch and changed', () => {
  test('tell each change of a job until it has ended', async () => {
    const { api } = client
    const heard: Change[] = []
    await client.on.changed((change) => heard.push(change)).ready
    await submit('a', 'b')
    const watched: Change[] = []
    const watching = (async () => {
      for await (const change of api.watch({ id: 1 })) watched.push(change)
    })()
    await worker('anna').next()
    await api.finish({ id: 1, attempt: 1 })
    await watching
    expect(watched.map(({ seq, state, worker }) => [seq, state, worker])).toEqual([
      [1, 'queued', null],
      [3, 'running', 'anna'],
      [4, 'done', 'anna'],
    ])
    expect(heard.filter(({ id }) => id === 1)).toEqual(watched)
    const rest: Change[] = []
    for await (const change of api.watch({ id: 1, after: 3 })) rest.push(change)
    expect(rest).toEqual(watched.slice(2))
  })

  test('watch refuses a job that does not exist', async () => {
    await expect(client.api.watch({ id: 9 }).ready).rejects.toThrow('no_such_job')
  })
})

describe('the admin address', () => {
  test('alone knows what only an admin may do', async () => {
    const admin = await connectAt(`${address}-admin`)
    const described = async ({ call }: Pick<JobConnection, 'call'>): Promise<string[]> => {
      const { methods } = (await call('rpc.discover')) as { readonly methods: readonly { readonly name: string }[] }
      return methods.map(({ name }) => name)
    }
    const forAdmins = ['jobs.pause', 'jobs.resume', 'jobs.purge', 'jobs.stats']
    const everywhere = await described({ call: client.call.bind(client) })
    expect(await described({ call: admin.call.bind(admin) })).toEqual([...everywhere, ...forAdmins])
    for (const method of [...forAdmins, 'rpc.stop']) {
      expect(isPosternError(await refusalOf(client.call(method)), 'unknown_method'), method).toBe(true)
    }
  })

  test('pauses the queue and lets it go on', async () => {
    const { api } = await connectAt(`${address}-admin`)
    await api.pause()
    const anna = worker('anna')
    const waiting = anna.next()
    await submit('a')
    expect(await api.stats()).toMatchObject({ jobs: { queued: 1, running: 0 }, paused: true, connections: 2 })
    await api.resume()
    expect(await idOf(waiting)).toBe(1)
  })

  test('purges what has ended', async () => {
    const { api } = await connectAt(`${address}-admin`)
    await submit('a', 'b')
    await api.cancel({ id: 1 })
    expect(await api.purge({ olderThanMs: 60_000 })).toEqual({ purged: 0 })
    expect(await api.purge()).toEqual({ purged: 1 })
    expect((await api.list()).map(({ id }) => id)).toEqual([2])
  })
})
