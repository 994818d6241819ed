import { writeFile } from 'node:fs/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { connect } from '../../src/app/connect.ts'
import type { Connection } from '../../src/app/connection.ts'
import { type ServeOptions, type Server, serve, type WorkerOptions } from '../../src/app/serve.ts'
import { isPosternError } from '../../src/core/errors.ts'
import { contract } from '../../src/service/contract.ts'
import { until } from '../../src/testing/until.ts'
import { codeOf, drain, harnesses } from '../contract/service.ts'
import { works } from '../programs/worker-contract.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

vi.mock('node:worker_threads', async () => await import('../typescript-worker.ts'))

const handlers = new URL('../programs/worker-handlers.ts', import.meta.url)

interface Opened {
  readonly server: Server<typeof works.members>
  readonly connection: Connection<typeof works.members>
  readonly api: Connection<typeof works.members>['api']
  /** What `onError` was told, as text. */
  readonly told: readonly string[]
}

async function opened(options: Partial<ServeOptions> & WorkerOptions): Promise<Opened> {
  const address = (await harnesses[0]?.address()) ?? ''
  const told: string[] = []
  const onError = (error: unknown): void => void told.push(String(error))
  const server = await serve(works, handlers, { at: address, onError, ...options })
  onTestFinished(() => server.close())
  const connection = await connect(address, works, { reconnect: false, onError })
  onTestFinished(() => connection.abort())
  return { server, connection, api: connection.api, told }
}

describe('a worker that dies', () => {
  it('fails its own calls, and no others, and is replaced', async () => {
    const { api, told } = await opened({ workers: 2 })
    const threads = new Set([await api.thread(), await api.thread()])
    const controller = new AbortController()
    const waiting = codeOf(api.waits('elsewhere', { signal: controller.signal }))
    const outcome = await api.dies('exit').catch((error: unknown) => error)
    if (!isPosternError(outcome, 'internal')) throw outcome
    expect(outcome.message).toContain('the worker that ran this has ended; it may have run')
    await until(() => told.length > 0)
    expect(told).toEqual([expect.stringContaining('worker-handlers.ts has ended (it ended with status 3); another')])
    controller.abort()
    expect(await waiting).toBe('cancelled')
    const later = new Set<number>()
    while (later.size < 2) later.add(await api.thread())
    expect([...later].filter((thread) => threads.has(thread))).toHaveLength(1)
  })

  it('ends its streams, and is told of with what nobody caught', async () => {
    const { api, told } = await opened({ workers: 1, limits: { retryMinMs: 1 } })
    const items = api.endless()
    await items.next()
    for (const [how, reason] of [
      ['throw', 'nobody catches this'],
      ['reject', 'nobody waits for this'],
    ] as const) {
      expect(await codeOf(api.dies(how))).toBe('internal')
      // There is no worker at this moment, so the call waits for the next one.
      expect(await api.sum([20, 22])).toBe(42)
      expect(told.at(-1)).toContain(reason)
    }
    expect(told).toHaveLength(2)
    expect(isPosternError((await drain(items)).error, 'internal')).toBe(true)
  })

  it('leaves nobody waiting, however many calls are on their way to it', async () => {
    const { api } = await opened({ workers: 2, limits: { retryMinMs: 1 } })
    for (let round = 0; round < 3; round++) {
      const calls = Array.from({ length: 50 }, (_, n) => codeOf(n === 20 ? api.dies('exit') : api.echo(n)))
      const codes = new Set(await Promise.all(calls))
      expect([...codes].filter((code) => code !== 'none' && code !== 'internal')).toEqual([])
      expect(codes).toContain('internal')
    }
    expect(await api.sum([1, 2])).toBe(3)
  })
})

describe('workers that end one after the other', () => {
  interface Ends {
    where(): number
    end(): void
  }
  const ends = contract<Ends>('ends')

  it('are given up after limits.maxRestarts, and calls then fail at once', async () => {
    const order = `${await temporaryDirectory()}/order`
    await writeFile(order, 'live')
    vi.stubEnv('POSTERN_WORKER_ENDS', order)
    onTestFinished(() => void vi.unstubAllEnvs())
    const told: string[] = []
    const address = (await harnesses[0]?.address()) ?? ''
    const server = await serve(ends, new URL('../programs/worker-ends.ts', import.meta.url), {
      at: address,
      workers: 1,
      limits: { maxRestarts: 2, retryMinMs: 1, retryMaxMs: 2 },
      onError: (error) => void told.push(String(error)),
    })
    onTestFinished(() => server.close())
    const connection = await connect(address, ends, { reconnect: false })
    const { api } = connection
    onTestFinished(() => connection.abort())
    expect(await api.where()).toBeGreaterThan(0)
    await writeFile(order, 'at once')
    expect(await codeOf(api.end())).toBe('internal')
    const calls = Array.from({ length: 5 }, () => codeOf(api.where()))
    await until(() => told.length === 4, 20_000)
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['internal']))
    expect(told.slice(0, 3)).toEqual(
      Array.from({ length: 3 }, () => expect.stringContaining('another takes its place')),
    )
    expect(told[3]).toContain('no more are started after limits.maxRestarts (2)')
    await expect(api.where()).rejects.toThrow('no worker is left that could run this')
  })
})

describe('a server with workers that closes', () => {
  it('lets calls finish within limits.drainMs', async () => {
    const done = `${await temporaryDirectory()}/done`
    const { api, connection, server } = await opened({ workers: 1 })
    const computing = api.compute(done)
    const behind = api.sum([20, 22])
    await connection.call('rpc.ping')
    const closing = server.close()
    await writeFile(done, '')
    expect(await computing).toBeGreaterThan(0)
    expect(await behind).toBe(42)
    await closing
  })

  it('ends a worker that computes without end, and one that is being replaced', async () => {
    const never = `${await temporaryDirectory()}/never`
    const { api, server } = await opened({ workers: 2, limits: { drainMs: 100 } })
    const computing = codeOf(api.compute(never))
    const dying = codeOf(api.dies('exit'))
    expect(await dying).toBe('internal')
    await server.close()
    expect(['closed', 'unknown_outcome']).toContain(await computing)
  })
})
