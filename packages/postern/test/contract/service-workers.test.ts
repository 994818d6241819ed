import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { threadId } from 'node:worker_threads'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { connect, type ConnectOptions } from '../../src/app/connect.ts'
import type { Connection } from '../../src/app/connection.ts'
import { type Server, serve } from '../../src/app/serve.ts'
import { isPosternError } from '../../src/core/errors.ts'
import { findNative } from '../../src/os/native.ts'
import { isDeclaredError } from '../../src/service/declared-error.ts'
import type { Members, NoErrors } from '../../src/service/members.ts'
import { until } from '../../src/testing/until.ts'
import { screen, works } from '../programs/worker-contract.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { codeOf, drain } from './service.ts'

vi.mock('node:worker_threads', async () => await import('../typescript-worker.ts'))

const handlers = new URL('../programs/worker-handlers.ts', import.meta.url)

/** What `onError` was told, and what the middleware saw, of the test that runs. */
const told: [context: string, error: unknown][] = []
const seen: string[] = []
const onError = (error: unknown, context: string): void => void told.push([context, error])

beforeEach(() => {
  told.length = 0
  seen.length = 0
})

interface Served {
  server: Server<typeof works.members>
  address: string
}

/** One server for all tests around it, since a worker that reads TypeScript takes its time to begin. */
function served(workers: number): Served {
  const it = {} as Served
  let directory = ''
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'postern-workers-'))
    it.address = `unix:${directory}/s`
    it.server = await serve(works, handlers, {
      at: it.address,
      workers,
      client: screen,
      onError,
      use: [
        (call, next) => {
          seen.push(`${call.kind} ${call.method}`)
          return next(call)
        },
      ],
    })
  })
  afterAll(async () => {
    await it.server.close()
    await rm(directory, { recursive: true })
  })
  return it
}

async function clientOf<S extends Members = NoErrors>(
  { address }: Served,
  options: ConnectOptions<S> = {},
  parameters = '',
): Promise<Connection<typeof works.members, S>> {
  const connection = await connect(address + parameters, works, { reconnect: false, onError, ...options })
  onTestFinished(() => connection.abort())
  return connection
}

describe('handlers in workers', () => {
  const workers = served(2)

  it('run in as many threads as there are workers, none of them this one', async () => {
    const { api } = await clientOf(workers)
    const threads = await Promise.all(Array.from({ length: 8 }, () => api.thread()))
    expect(new Set(threads).size).toBe(2)
    expect(threads).not.toContain(threadId)
    // One after the other they take turns too.
    expect(await api.thread()).not.toBe(await api.thread())
  })

  it('compute while the server answers others, and a busy worker is spared', async () => {
    const done = `${await temporaryDirectory()}/done`
    const connection = await clientOf(workers)
    const { api } = connection
    const computing = api.compute(done)
    const others: number[] = []
    for (let n = 0; n < 10; n++) others.push(await api.thread())
    const second = api.compute(done)
    expect(await connection.call('rpc.ping')).toBe('pong')
    await writeFile(done, '')
    expect(new Set(others)).toEqual(new Set([await second]))
    expect(others).not.toContain(await computing)
  })

  it('are spared as long as they compute what was given up', async () => {
    const done = `${await temporaryDirectory()}/done`
    const { api } = await clientOf(workers)
    const controller = new AbortController()
    const computing = codeOf(api.compute(done, { signal: controller.signal }))
    const other = await api.thread()
    controller.abort()
    expect(await computing).toBe('cancelled')
    for (let n = 0; n < 10; n++) expect(await api.thread()).toBe(other)
    await writeFile(done, '')
    const threads = new Set<number>()
    while (threads.size < 2) threads.add(await api.thread())
  })

  it('get what the schema makes of a value, and give back what they return', async () => {
    const { api } = await clientOf(workers)
    expect(await api.letters('abc')).toEqual(['a', 'b', 'c'])
    expect(await api.sum([20, 22])).toBe(42)
    expect(await api.kind()).toBe('undefined')
    expect(await api.kind(null)).toBe('null')
    const deep = { list: [[1], [], {}], text: 'é \u{1f511}', nothing: null }
    expect(await api.echo(deep)).toEqual(deep)
    expect(await codeOf(api.letters(5 as never))).toBe('invalid_params')
  })

  it('get bytes and large integers unharmed', async () => {
    const { api } = await clientOf(workers, {}, '?codec=msgpack')
    const value = { bytes: new Uint8Array([0, 255, 1]), large: 2n ** 60n, small: 5 }
    expect(await api.echo(value)).toEqual(value)
    const many = Buffer.alloc(3_000_000, 'postern')
    expect(many.equals((await api.echo(many)) as Uint8Array)).toBe(true)
  })

  it('know what is called and who calls', async () => {
    const { api } = await clientOf(workers)
    const uid = (await findNative()) === undefined ? {} : { uid: process.geteuid?.() }
    expect(await api.whoAsks()).toEqual({ method: 'works.whoAsks', ...uid })
  })

  it('run behind middleware, and beside events', async () => {
    const { api, on } = await clientOf(workers)
    const joined: string[] = []
    await on.joined((name) => joined.push(name)).ready
    expect(await api.sum([1, 2])).toBe(3)
    expect(await drain(api.numbers({ to: 3 }))).toEqual({ items: [0, 1, 2] })
    workers.server.emit.joined('alice')
    await until(() => joined.length === 1)
    expect(seen).toEqual(['event works.joined', 'method works.sum', 'stream works.numbers'])
  })

  it('call back the client that called, with its errors and streams', async () => {
    const asked = [0, 0]
    const connections = await Promise.all(
      asked.map((_, which) =>
        clientOf(workers, {
          serve: [
            screen,
            {
              ask: (n: number, { fail }) => {
                asked[which] = (asked[which] ?? 0) + 1
                if (n < 0) throw fail('busy_drawing', { until: 9 })
                return n * 10 + which
              },
              async *lines(to: number) {
                for (let n = 0; n < to; n++) yield n + which
              },
            },
          ] as const,
        }),
      ),
    )
    for (const [which, { api }] of connections.entries()) {
      expect(await Promise.all([1, 2, 3, 4].map((n) => api.asks(n)))).toEqual(
        [1, 2, 3, 4].map((n) => n * 10 + which + 1),
      )
      expect((await drain(api.relay(300))).items).toEqual(Array.from({ length: 300 }, (_, n) => (n + which) * 2))
    }
    expect(asked).toEqual([4, 4])
    const refused = await connections[0]?.api.asks(-1).catch((error: unknown) => error)
    expect(refused).toMatchObject({ details: { data: { code: 'closed_for', details: { until: 9 } } } })
  })
})

describe('errors of handlers in workers', () => {
  const workers = served(1)

  it('arrive as the contract declares them', async () => {
    const { api } = await clientOf(workers)
    const error = await api.fails('insufficient').catch((caught: unknown) => caught)
    if (!isDeclaredError(error, works.members.fails, 'insufficient')) throw error
    expect(error.details).toEqual({ missing: 12 })
    expect(error.message).toContain('not enough')
    expect(await codeOf(api.fails('closed_today'))).toBe('closed_today')
    expect(told).toEqual([])
  })

  it('that are meant for nobody are told to onError, with the place in the handler', async () => {
    const { api } = await clientOf(workers)
    expect(await codeOf(api.fails('secret'))).toBe('internal')
    await until(() => told.length === 1)
    const [context, error] = told[0] ?? []
    expect(context).toBe('works.fails')
    expect(error).toMatchObject({ name: 'RangeError', message: 'not for the caller: secret' })
    expect((error as Error).stack).toContain('worker-handlers')
  })

  it('refuse a stream, or end it, as they would in the main thread', async () => {
    const { api } = await clientOf(workers)
    const refused = await api.breaks('at once').ready.catch((caught: unknown) => caught)
    expect(isPosternError(refused, 'remote') && refused.details).toMatchObject({ data: { code: 'nothing_here' } })
    const ended = await drain(api.breaks('after one'))
    expect(ended.items).toEqual([1])
    expect(ended.error).toMatchObject({ details: { code: -32_000, data: { code: 'no_more', details: { after: 1 } } } })
    const broken = await drain(api.breaks('badly'))
    expect(isPosternError(broken.error, 'internal')).toBe(true)
    await until(() => told.length === 1)
    expect(told[0]?.[1]).toMatchObject({ message: 'broken in the middle' })
  })
})

describe('streams of workers', () => {
  const workers = served(1)

  it('deliver all items in order', async () => {
    const { api } = await clientOf(workers)
    expect(await drain(api.numbers({ to: 5_000 }))).toEqual({ items: Array.from({ length: 5_000 }, (_, n) => n) })
  })

  it('make no more than was granted on the way to a client that does not read, and end when it leaves', async () => {
    const { api } = await clientOf(workers)
    const items = api.endless()
    for (let n = 0; n < 300; n++) expect((await items.next()).value).toBe(n)
    const most = 300 + 2 * 128 + 2
    let yielded = 0
    for (let turn = 0; turn < 50; turn++) {
      ;({ yielded } = await api.made())
      expect(yielded).toBeLessThanOrEqual(most)
    }
    expect(yielded).toBeGreaterThan(300)
    for (let n = 300; n < 600; n++) expect((await items.next()).value).toBe(n)
    await items.return?.()
    let finished = 0
    while (finished === 0) ({ finished } = await api.made())
    expect(finished).toBe(1)
  })
})

describe('callers of workers', () => {
  const workers = served(1)

  it('are heard when they give up, and when they go', async () => {
    const { api } = await clientOf(workers)
    const controller = new AbortController()
    const waiting = codeOf(api.waits('given up', { signal: controller.signal }))
    expect(await api.heard('given up')).toBe(false)
    controller.abort()
    expect(await waiting).toBe('cancelled')
    while (!(await api.heard('given up')));
    const leaving = await clientOf(workers)
    const left = codeOf(leaving.api.waits('gone'))
    await leaving.call('rpc.ping')
    leaving.abort()
    expect(await left).toBe('unknown_outcome')
    while (!(await api.heard('gone')));
  })

  it('are listened to', async () => {
    const { api, emit } = await clientOf(workers, {
      serve: [screen, { ask: (n: number) => n, lines: () => [] }] as const,
    })
    await api.listens()
    for (let n = 0; n < 10; n++) emit.moved(n)
    let moves: number[] = []
    while (moves.length < 10) moves = await api.moves()
    expect(moves).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('are called by any name, with params as they were said', async () => {
    const got: unknown[] = []
    const echo = (params: unknown, ctx: { method: string }): unknown => {
      got.push([ctx.method, params])
      return params
    }
    const { api } = await clientOf(workers, { handlers: { told: echo, 'any.name': echo } })
    for (const params of [{ a: 1 }, [1, 2], 5])
      expect(await api.asksAnything(['any.name', params])).toEqual([params, JSON.stringify(params)])
    expect(got).toContainEqual(['told', { a: 1 }])
    const error = await api.asksAnything(['not.there', 1]).catch((caught: unknown) => caught)
    expect(isPosternError(error, 'internal')).toBe(true)
  })
})
