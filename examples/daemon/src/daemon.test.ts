import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isPosternError } from 'postern'
import { beforeEach, describe, expect, test } from 'vitest'
import { connectAsAdmin, follow, type JobConnection } from './client.ts'
import type { Change, Job } from './contract.ts'
import { allJobs, connectForTest, ownRuntimeDirectory, startDaemon, startForTest } from './test-daemon.ts'

/** Far more than it takes: each of these tests starts several programs, on a machine that may be busy. */
const timeout = 120_000

let directory = ''
let file = ''

beforeEach(async () => {
  directory = await ownRuntimeDirectory()
  file = join(directory, 'jobs.db')
})

/** Submits one after the other until stopped, and calls `acknowledged` after each. */
async function submitUntil(stopped: () => boolean, submitOne: (n: number) => Promise<void>): Promise<void> {
  for (let n = 0; !stopped(); n++) await submitOne(n)
}

/** Kills the daemon and starts it again, `times` times, each time when some more submits have been acknowledged. */
async function killAndRestart(times: number, acknowledged: () => number): Promise<void> {
  let daemon = await startDaemon(file)
  for (let kills = 0; kills < times; kills++) {
    const enough = acknowledged() + 20
    while (acknowledged() < enough) await new Promise(setImmediate)
    await daemon.kill()
    daemon = await startDaemon(file)
  }
}

describe('a daemon that is killed', { timeout }, () => {
  const kills = 3
  const clients = 4

  test('loses no submit that it acknowledged, and applies none twice that was repeated with its key', async () => {
    const ledger = new Map<string, number>()
    let over = false
    const submitting = Array.from({ length: clients }, async (_, index) => {
      const { api } = await connectForTest()
      await submitUntil(
        () => over,
        async (n) => {
          const key = `client ${index}, job ${n}`
          const { id } = await api.submit({ name: 'sleep', payload: { key }, key })
          ledger.set(key, id)
        },
      )
    })
    await killAndRestart(kills, () => ledger.size)
    over = true
    await Promise.all(submitting)
    const stored = (await allJobs(await connectForTest())).map(({ id, payload }) => [keyOf(payload), id] as const)
    expect(new Map(stored)).toEqual(ledger)
    expect(stored).toHaveLength(ledger.size)
    expect(ledger.size).toBeGreaterThanOrEqual(kills * 20)
  })

  test('says of submits without a key which may have been applied', async () => {
    const acknowledged = new Set<string>()
    const unknown = new Set<string>()
    let over = false
    const submitting = Array.from({ length: clients }, async (_, index) => {
      const connection = await connectForTest()
      await submitUntil(
        () => over,
        async (n) => {
          const key = `client ${index}, job ${n}`
          try {
            // By its name the library knows no contract, and so not that it may be repeated.
            await connection.call('jobs.submit', { name: 'sleep', payload: { key } })
            acknowledged.add(key)
          } catch (error) {
            expect(isPosternError(error, 'unknown_outcome'), String(error)).toBe(true)
            unknown.add(key)
          }
        },
      )
    })
    await killAndRestart(kills, () => acknowledged.size)
    over = true
    await Promise.all(submitting)
    const stored = (await allJobs(await connectForTest())).map(({ payload }) => keyOf(payload))
    expect(new Set(stored).size).toBe(stored.length)
    expect([...acknowledged].filter((key) => !stored.includes(key))).toEqual([])
    expect(stored.filter((key) => !acknowledged.has(key) && !unknown.has(key))).toEqual([])
  })

  test('leaves their jobs to the workers that run them, and goes on telling who follows a job', async () => {
    const first = await startDaemon(file)
    const anna = startForTest('worker.ts', ['anna'])
    const connection = await connectForTest()
    const { id } = await connection.api.submit({ name: 'sleep', payload: { ms: 1_000 }, key: 'k' })
    const following = followed(connection, id)
    await anna.line(/begun/)
    await first.kill()
    await startDaemon(file)
    const changes = await following
    await anna.line(/done/)
    expect(anna.lines).toEqual([`anna: job ${id} begun, attempt 1`, `anna: job ${id} done`])
    expect(changes.at(0)?.state).toBe('queued')
    expect(changes.at(-1)).toMatchObject({ state: 'done', attempt: 1, worker: 'anna' })
    // What happened to the job has no number twice, and none is left out.
    expect(changes.map(({ seq }) => seq)).toEqual(changes.map((_, index) => index + 1))
  })
})

function keyOf(payload: Job['payload']): string {
  return (payload as { readonly key: string }).key
}

async function followed(connection: JobConnection, id: number): Promise<Change[]> {
  const changes: Change[] = []
  for await (const change of follow(connection, id)) changes.push(change)
  return changes
}

describe('a worker', { timeout }, () => {
  test('that is killed loses its job to another, who says that it is the second attempt', async () => {
    await startDaemon(file)
    const connection = await connectForTest()
    const [anna, ben] = [startForTest('worker.ts', ['anna']), startForTest('worker.ts', ['ben'])]
    const { id } = await connection.api.submit({ name: 'sleep', payload: { ms: 1_500 }, key: 'k' })
    const winner = await Promise.race([anna.line(/begun/), ben.line(/begun/)])
    const [lost, other] = winner.startsWith('anna') ? [anna, ben] : [ben, anna]
    await lost.kill()
    await other.line(/done/)
    expect(other.lines.map((line) => line.replace(/^\w+: /, ''))).toEqual([
      `job ${id} begun, attempt 2`,
      `job ${id} done`,
    ])
    expect(await connection.api.get({ id })).toMatchObject({ state: 'done', attempt: 2 })
  })

  test('stops a job that is cancelled, and tells why one fails', async () => {
    await startDaemon(file)
    const { api } = await connectForTest()
    const anna = startForTest('worker.ts', ['anna', '--slots', '2'])
    const { id: slept } = await api.submit({ name: 'sleep', payload: { ms: 3_600_000 }, key: 'a' })
    await anna.line(/begun/)
    await api.cancel({ id: slept })
    await anna.line(new RegExp(`job ${slept} dropped`))
    const { id: digested } = await api.submit({ name: 'digest', payload: { path: join(directory, 'none') }, key: 'b' })
    await anna.line(new RegExp(`job ${digested} failed`))
    expect(await api.get({ id: digested })).toMatchObject({ state: 'failed', error: expect.stringContaining('ENOENT') })
    await anna.kill('SIGTERM')
    expect(await anna.ended).toBe(0)
  })
})

describe('a daemon that is stopped', { timeout }, () => {
  test.each(['SIGTERM', 'rpc.stop'])('by %s leaves its file alone, for this user alone', async (way) => {
    const daemon = await startDaemon(file)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const anna = startForTest('worker.ts', ['anna'])
    const { api } = await connectForTest()
    const { id } = await api.submit({ name: 'sleep', payload: { ms: 3_600_000 }, key: 'k' })
    await anna.line(/begun/)
    if (way === 'SIGTERM') await daemon.kill('SIGTERM')
    else {
      const admin = await connectAsAdmin()
      await admin.call(way)
      admin.abort()
    }
    expect(await daemon.ended).toBe(0)
    expect(readdirSync(directory).sort()).toEqual(['jobs.db', 'postern'])
    expect(readdirSync(join(directory, 'postern'))).toEqual([])
    await startDaemon(file)
    expect(await api.get({ id })).toMatchObject({ id, attempt: 1 })
  })

  test('is not joined by a second one, neither at its file nor at its address', async () => {
    await startDaemon(file)
    expect(await startForTest('daemon.ts', [file]).ended).toBe(1)
    expect(await startForTest('daemon.ts', [join(directory, 'other.db')]).ended).toBe(1)
    const { api } = await connectForTest()
    expect(await api.submit({ name: 'a', key: 'k' })).toMatchObject({ id: 1 })
  })
})
