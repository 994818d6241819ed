import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { isPosternError } from '../../src/core/errors.ts'
import { contract } from '../../src/service/contract.ts'
import { method, stream } from '../../src/service/members.ts'
import { until } from '../../src/testing/until.ts'
import { codeOf, drain, everyHarness, type Opened, opened, Recorded, type ServiceHarness } from './service.ts'

const node = contract('node', {
  count: stream({ params: z.object({ to: z.int().min(0) }), yields: z.int() }),
  endless: stream({ yields: z.int() }),
  refuses: stream({ params: z.int(), yields: z.int() }),
  throws: stream({ params: z.int(), yields: z.int() }),
  unwritable: stream(),
  wrong: stream({ yields: z.int() }),
  scaled: stream({ yields: z.int().transform((n) => n * 10) }),
  waits: stream(),
  array: stream({ yields: z.string() }),
  later: stream({ params: z.string().optional(), yields: z.string().nullable() }),
  nullable: stream({ params: z.string().nullable() }),
  none: stream(),
  broken: stream(),
  ping: method(),
})

/** What the handlers of `node` did. */
interface Ran {
  /** Generators that have begun, and those whose `finally` has run. */
  begun: number
  finished: number
  /** Items that generators have made. */
  made: number
  /** Signals that have aborted. */
  aborted: number
}

function handlersOf(ran: Ran) {
  return {
    async *count({ to }: { to: number }) {
      yield* tracked(ran, to)
    },
    endless: (_params: unknown, { signal }: { signal: AbortSignal }) => {
      signal.addEventListener('abort', () => ran.aborted++)
      return tracked(ran, Number.POSITIVE_INFINITY)
    },
    async *refuses(after: number, { fail }: { fail: (code: string, details: unknown) => Error }) {
      yield* tracked(ran, after)
      throw fail('pruned', { at: after })
    },
    async *throws(after: number) {
      yield* tracked(ran, after)
      throw new Error('SECRET /etc/passwd')
    },
    async *unwritable() {
      try {
        yield 1
        yield 5n
      } finally {
        ran.finished++
      }
    },
    async *wrong() {
      try {
        yield 1
        yield 'two' as unknown as number
        yield* tracked(ran, Number.POSITIVE_INFINITY)
      } finally {
        ran.finished++
      }
    },
    scaled: () => [1, 2, 3],
    /** Stands at an await that only its signal ends. */
    async *waits(_params: unknown, { signal }: { signal: AbortSignal }) {
      ran.begun++
      try {
        yield 'first'
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve)
        })
      } finally {
        ran.finished++
      }
    },
    array: () => ['a', 'b'],
    later: async (text: string | undefined) => [text ?? 'nothing', null],
    nullable: (text: string | null) => [text],
    none: () => 5 as never,
    broken: () => ({
      [Symbol.asyncIterator]: () => {
        throw new Error('no iterator')
      },
    }),
    ping: () => 'pong',
  }
}

async function* tracked(ran: Ran, to: number): AsyncGenerator<number> {
  ran.begun++
  try {
    for (let n = 0; n < to; n++) {
      ran.made++
      yield n
    }
  } finally {
    ran.finished++
  }
}

type Served = Opened<typeof node.members> & { readonly ran: Ran }

async function served(harness: ServiceHarness, options: Parameters<typeof opened>[3] = {}): Promise<Served> {
  const ran: Ran = { begun: 0, finished: 0, made: 0, aborted: 0 }
  return { ran, ...(await opened(harness, node, handlersOf(ran), options)) }
}

for (const harness of everyHarness) {
  describe(`a stream over ${harness.name}`, () => {
    it('ends when its handler returns, after all items', async () => {
      const { client, ran } = await served(harness)
      const { api } = await client()
      expect(await drain(api.count({ to: 500 }))).toEqual({ items: Array.from({ length: 500 }, (_, n) => n) })
      expect(await drain(api.count({ to: 0 }))).toEqual({ items: [] })
      expect(ran).toMatchObject({ begun: 2, finished: 2 })
    })

    it('goes through its schema, one way or the other, and takes any iterable or a promise of one', async () => {
      const { client } = await served(harness)
      const { api } = await client()
      expect(await drain(api.scaled())).toEqual({ items: [10, 20, 30] })
      expect(await drain(api.array())).toEqual({ items: ['a', 'b'] })
      expect(await drain(api.later())).toEqual({ items: ['nothing', null] })
      expect(await drain(api.later('text'))).toEqual({ items: ['text', null] })
      expect(await drain(api.nullable(null))).toEqual({ items: [null] })
      expect(await drain(api.nullable('text'))).toEqual({ items: ['text'] })
    })

    it('ends with the error that its handler makes for its subscriber, after the items before it', async () => {
      const { client, ran, told } = await served(harness)
      const { items, error } = await drain((await client()).api.refuses(3))
      expect(items).toEqual([0, 1, 2])
      expect(isPosternError(error, 'remote') && error.details).toEqual({
        code: -32000,
        message: 'pruned',
        data: { code: 'pruned', details: { at: 3 } },
      })
      expect(ran).toMatchObject({ begun: 1, finished: 1 })
      expect(told).toEqual([])
    })

    it('ends with internal where its handler throws anything else, of which not a word crosses the wire', async () => {
      const tap = new Recorded()
      const { client, ran, told } = await served(harness, { tap })
      const { items, error } = await drain((await client()).api.throws(2))
      expect(items).toEqual([0, 1])
      expect(isPosternError(error, 'internal')).toBe(true)
      expect(ran).toMatchObject({ begun: 1, finished: 1 })
      expect(told).toEqual([['node.throws', expect.objectContaining({ message: 'SECRET /etc/passwd' })]])
      expect(tap.text).not.toMatch(/SECRET|passwd|at .*\.ts/)
    })

    it('ends with internal where an item cannot be carried, and where there are none to be had', async () => {
      const { client, ran, told } = await served(harness)
      const { api } = await client()
      const { items, error } = await drain(api.unwritable())
      expect(items).toEqual([1])
      expect(isPosternError(error, 'internal')).toBe(true)
      await until(() => ran.finished === 1)
      expect(await codeOf(api.none().next())).toBe('internal')
      expect(await codeOf(api.broken().next())).toBe('internal')
      expect(told.map(([context]) => context)).toEqual(['node.unwritable', 'node.none', 'node.broken'])
      expect(String(told[1]?.[1])).toContain('must return an iterable, as async *node.none() does')
    })

    it('ends at both sides where an item is not what the contract says', async () => {
      const { client, ran } = await served(harness)
      const { items, error } = await drain((await client()).api.wrong())
      expect(items).toEqual([1])
      expect(isPosternError(error, 'bad_message') && error.message).toContain('an item of node.wrong')
      await until(() => ran.finished === 2)
    })

    it('has its params checked before its handler is called', async () => {
      const { client, ran } = await served(harness)
      const { api } = await client()
      const wrong = api.count({ to: -1 })
      expect(await codeOf(wrong.ready)).toBe('invalid_params')
      expect(await codeOf(wrong.next())).toBe('invalid_params')
      expect(await codeOf(api.count(undefined as never).next())).toBe('invalid_params')
      expect(await codeOf(api.later(5 as never).next())).toBe('invalid_params')
      expect(ran.begun).toBe(0)
    })

    const ways: Readonly<Record<string, (served: Served) => Promise<unknown>>> = {
      'its loop is left': async ({ client }) => {
        const { api } = await client()
        for await (const n of api.endless()) if (n === 3) break
        return undefined
      },
      'its loop throws': async ({ client }) => {
        const { api } = await client()
        const loop = async (): Promise<void> => {
          for await (const n of api.endless()) if (n === 3) throw new Error('enough')
        }
        expect(await codeOf(loop())).toMatchObject({ message: 'enough' })
        return undefined
      },
      'its scope is left': async ({ client }) => {
        const { api } = await client()
        await using items = api.endless()
        return void (await items.next())
      },
      'its signal aborts': async ({ client }) => {
        const { api } = await client()
        const controller = new AbortController()
        const items = api.endless(undefined, { signal: controller.signal })
        await items.next()
        controller.abort()
        return (await drain(items)).error
      },
      'its client closes the connection': async ({ client }) => {
        const connection = await client()
        const items = connection.api.endless()
        await items.next()
        await connection.close()
        return (await drain(items)).error
      },
      'its client drops the connection': async ({ client }) => {
        const connection = await client()
        const items = connection.api.endless()
        await items.next()
        connection.abort()
        return (await drain(items)).error
      },
      'its server closes': async ({ client, server }) => {
        const { api } = await client()
        const items = api.endless()
        await items.next()
        await server.close()
        return (await drain(items)).error
      },
    }
    const codes: Readonly<Record<string, string>> = {
      'its signal aborts': 'cancelled',
      'its client closes the connection': 'closed',
      'its client drops the connection': 'closed',
      'its server closes': 'closed',
    }
    for (const [way, end] of Object.entries(ways)) {
      it(`runs the finally of its generator and aborts ctx.signal when ${way}`, async () => {
        const all = await served(harness)
        const error = await end(all)
        expect(isPosternError(error) ? error.code : error).toBe(codes[way])
        await until(() => all.ran.finished === 1 && all.ran.aborted === 1)
        expect(all.ran.begun).toBe(1)
        expect(all.told).toEqual([])
      })
    }

    it('is told by ctx.signal that it may stop waiting', async () => {
      const { client, ran } = await served(harness)
      const { api } = await client()
      for await (const _ of api.waits()) break
      await until(() => ran.finished === 1)
      expect(await api.ping()).toBe('pong')
    })

    it('is over for good once it has ended', async () => {
      const { client } = await served(harness)
      const { api } = await client()
      const items = api.count({ to: 1 })
      expect(await items.next()).toEqual({ done: false, value: 0 })
      const over = { done: true, value: undefined }
      for (let n = 0; n < 3; n++) expect(await items.next()).toEqual(over)
      const failing = api.refuses(0)
      expect(await codeOf(failing.next())).toBe('remote')
      expect(await failing.next()).toEqual(over)
      expect(await failing.return?.()).toEqual(over)
    })

    it('runs beside others and beside calls, each in its order', async () => {
      const { client, ran } = await served(harness)
      const { api } = await client()
      const streams = Array.from({ length: 20 }, (_, n) => drain(api.count({ to: 10 * n })))
      const pings = Array.from({ length: 200 }, () => api.ping())
      const drained = await Promise.all(streams)
      for (const [n, { items }] of drained.entries()) {
        expect(items).toEqual(Array.from({ length: 10 * n }, (_, item) => item))
      }
      expect(new Set(await Promise.all(pings))).toEqual(new Set(['pong']))
      expect(ran).toMatchObject({ begun: 20, finished: 20 })
    })

    it('holds no slot among the calls that run', async () => {
      const { client } = await served(harness, { limits: { maxRunning: 2, maxWaiting: 0 } })
      const { api } = await client()
      const open: unknown[] = []
      for (let n = 0; n < 10; n++) {
        const items = api.endless()
        await items.ready
        open.push(items)
      }
      expect(await api.ping()).toBe('pong')
      expect(open).toHaveLength(10)
    })
  })
}
