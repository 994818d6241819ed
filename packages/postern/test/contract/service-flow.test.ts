import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { isPosternError } from '../../src/core/errors.ts'
import { contract } from '../../src/service/contract.ts'
import { event, method, stream } from '../../src/service/members.ts'
import { until } from '../../src/testing/until.ts'
import { rawClient } from '../raw-peer.ts'
import { codeOf, drain, everyHarness, isText, type Opened, opened, Recorded, type ServiceHarness } from './service.ts'

/** Items that a client of ours lets a server of ours send ahead. */
const window = 128

const node = contract('node', {
  numbers: stream({ params: z.int().optional(), yields: z.int() }),
  slowly: stream(),
  joined: event(),
  ping: method(),
})

interface Source {
  made: number
  finished: number
  /** Calls of a handler, and iterables that were closed before anybody read them. */
  called: number
  unread: number
  aborted: number
  /** Lets a handler that waits go on. */
  release: () => void
}

function handlersOf(source: Source) {
  return {
    async *numbers(to: number | undefined) {
      try {
        for (let n = 0; n < (to ?? Number.POSITIVE_INFINITY); n++) {
          source.made++
          yield n
        }
      } finally {
        source.finished++
      }
    },
    /** Opens something before anybody has asked for an item, as `on(emitter, 'x')` does. */
    slowly: async (_params: unknown, { signal }: { signal: AbortSignal }) => {
      source.called++
      signal.addEventListener('abort', () => source.aborted++)
      await new Promise<void>((resolve) => {
        source.release = resolve
      })
      return {
        [Symbol.asyncIterator]: () => ({
          next: () => new Promise<IteratorResult<unknown>>(() => undefined),
          return: async () => {
            source.unread++
            return { done: true as const, value: undefined }
          },
        }),
      }
    },
    ping: () => 'pong',
  }
}

type Served = Opened<typeof node.members> & { readonly source: Source }

async function served(harness: ServiceHarness, options: Parameters<typeof opened>[3] = {}): Promise<Served> {
  const source: Source = { made: 0, finished: 0, called: 0, unread: 0, aborted: 0, release: () => undefined }
  return { source, ...(await opened(harness, node, handlersOf(source), options)) }
}

for (const harness of everyHarness) {
  describe(`the credit of a stream over ${harness.name}`, () => {
    it('keeps the server within a window of what has been taken', async () => {
      const { client, source } = await served(harness)
      const { api } = await client()
      let taken = 0
      for await (const n of api.numbers(1_000)) {
        expect(n).toBe(taken++)
        expect(source.made).toBeLessThanOrEqual(taken + window)
      }
      expect(taken).toBe(1_000)
    })

    it('stops a server whose items nobody takes, and goes on where they are', async () => {
      const { client, source } = await served(harness)
      const { api } = await client()
      const items = api.numbers()
      await until(() => source.made === window)
      for (let n = 0; n < 100; n++) await api.ping()
      expect(source.made).toBe(window)
      for (let n = 0; n < 10 * window; n++) expect(await items.next()).toEqual({ done: false, value: n })
      expect(source.made).toBeLessThanOrEqual(11 * window)
      await items.return?.()
      await until(() => source.finished === 1)
    })

    it('is not exceeded by a client with room for less', async () => {
      const { client, source } = await served(harness)
      const { api } = await client({ limits: { maxBufferedItems: 5 } })
      const items = api.numbers(100)
      await until(() => source.made === 5)
      await api.ping()
      expect(source.made).toBe(5)
      expect((await drain(items)).items).toHaveLength(100)
    })

    it('is not given by what makes no sense', async () => {
      const { client, source } = await served(harness)
      const connection = await client()
      const id = await connection.call('node.subscribe', ['numbers', null, { credit: 2 }])
      await until(() => source.made === 2)
      for (const add of [0, -1, 0.5, '3', null, [3], Number.MAX_SAFE_INTEGER + 1, undefined]) {
        await connection.notify('rpc.credit', { subscription: id, add }).catch(() => undefined)
      }
      for (const subscription of ['0x99', 5, null, '__proto__', 'constructor'])
        await connection.notify('rpc.credit', { subscription, add: 3 })
      await connection.notify('rpc.credit', ['0x1', 3])
      await connection.notify('rpc.credit')
      expect(await connection.api.ping()).toBe('pong')
      expect(source.made).toBe(2)
      await connection.notify('rpc.credit', { subscription: id, add: 3 })
      await until(() => source.made === 5)
    })

    it('is none at all where a subscriber says so, until it gives some', async () => {
      const { client, source } = await served(harness)
      const connection = await client()
      const id = await connection.call('node.subscribe', ['numbers', null, { credit: 0 }])
      await connection.api.ping()
      expect(source.made).toBe(0)
      await connection.notify('rpc.credit', { subscription: id, add: 1 })
      await until(() => source.made === 1)
    })
  })

  describe(`a subscriber that gives no credit over ${harness.name}`, () => {
    it('is told when it takes items too slowly, and the stream ends at the server', async () => {
      const { client, source } = await served(harness)
      const connection = await client({ limits: { maxBufferedItems: 50 } })
      const items = connection.subscribe('node.subscribe', ['numbers'])
      await items.ready
      await until(() => source.finished === 1)
      const { items: taken, error } = await drain(items)
      expect(taken).toEqual(Array.from({ length: 50 }, (_, n) => n))
      expect(isPosternError(error, 'limit_exceeded') && error.message).toContain('limits.maxBufferedItems (50)')
      expect(await connection.api.ping()).toBe('pong')
    })
  })

  describe(`subscriptions over ${harness.name}`, () => {
    it('are as many as limits.maxSubscriptions of the server, and one more when one has ended', async () => {
      const { client, source } = await served(harness, { limits: { maxSubscriptions: 3 } })
      const connection = await client()
      const { api, on } = connection
      const first = api.numbers()
      const second = on.joined(() => undefined)
      await Promise.all([first.ready, second.ready])
      const third = api.numbers()
      await third.ready
      const fourth = api.numbers()
      const error: unknown = await fourth.ready.catch((reason: unknown) => reason)
      expect(isPosternError(error, 'limit_exceeded') && error.message).toContain('limits.maxSubscriptions (3)')
      expect(await codeOf(on.joined(() => undefined).ready)).toBe('limit_exceeded')
      second.stop()
      await on.joined(() => undefined).ready
      await first.return?.()
      await until(() => source.finished === 1)
      await api.numbers().ready
      expect(await codeOf(api.numbers().ready)).toBe('limit_exceeded')
    })

    it('are as many as limits.maxSubscriptions of the client, which does not ask for more', async () => {
      const tap = new Recorded()
      const { client } = await served(harness, { tap })
      const { api, on } = await client({ limits: { maxSubscriptions: 2 } })
      const first = api.numbers()
      const second = on.joined(() => undefined)
      await Promise.all([first.ready, second.ready])
      const error: unknown = await api.numbers().ready.catch((reason: unknown) => reason)
      expect(isPosternError(error, 'limit_exceeded') && error.message).toContain('limits.maxSubscriptions (2)')
      expect(tap.frames.filter((frame) => frame.includes('node.subscribe'))).toHaveLength(2)
      second.stop()
      await api.numbers().ready
    })

    it('let go of what a handler has opened for one that is refused', async () => {
      const { client, source } = await served(harness, { limits: { maxSubscriptions: 1 } })
      const { api } = await client()
      const refused = api.slowly()
      await until(() => source.called === 1)
      await api.numbers().ready
      source.release()
      expect(await codeOf(refused.ready)).toBe('limit_exceeded')
      await until(() => source.unread === 1 && source.aborted === 1)
    })

    it('leave nothing running when the call is cancelled before its answer', async () => {
      const { client, source } = await served(harness, { limits: { maxSubscriptions: 1 } })
      const connection = await client()
      const controller = new AbortController()
      const call = connection.call('node.subscribe', ['slowly'], { signal: controller.signal })
      await until(() => source.called === 1)
      controller.abort()
      expect(await codeOf(call)).toBe('cancelled')
      await until(() => source.aborted === 1)
      source.release()
      await until(() => source.unread === 1)
      await connection.api.numbers().ready
    })

    it('leave nothing running when the client goes before the answer', async () => {
      const { client, server, source } = await served(harness)
      const connection = await client()
      connection.api.slowly()
      await until(() => source.called === 1)
      connection.abort()
      await until(() => source.aborted === 1 && server.connections === 0)
      source.release()
      await until(() => source.unread === 1)
    })

    if (isText(harness))
      it('are answered before their first item, also in a batch', async () => {
        const tap = new Recorded()
        const { client } = await served(harness, { tap })
        const connection = await client()
        const answers = await connection.batch([
          ['node.subscribe', ['numbers', 2]],
          ['node.ping'],
          ['node.subscribe', ['numbers', 1]],
        ])
        expect(answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : answer.reason))).toEqual([
          '0x1',
          'pong',
          '0x2',
        ])
        await until(() => tap.frames.filter((frame) => frame.includes('"done":true')).length === 2)
        const out = tap.frames.filter((frame) => frame.startsWith('out '))
        expect(out[0]).toMatch(/^out \[/)
        expect(out.slice(1)).toHaveLength(5)
        expect(out.slice(1).every((frame) => frame.includes('node.subscription'))).toBe(true)
      })

    it('are dropped when nobody would be told their id', async () => {
      const { client, source } = await served(harness)
      const connection = await client()
      await connection.notify('node.subscribe', ['numbers'])
      await connection.notify('node.subscribe', ['joined'])
      await connection.notify('node.subscribe', ['slowly'])
      expect(await connection.api.ping()).toBe('pong')
      expect(source).toMatchObject({ made: 0, called: 0 })
    })

    it('end by their own id alone', async () => {
      const { client, source } = await served(harness)
      const [mine, other] = [await client(), await client()]
      const kept = other.api.numbers()
      await kept.ready
      for (const id of ['0x1', '0x99', 'joined:1', 5, null, '__proto__', ['0x1'], { id: '0x1' }])
        expect(await mine.call('node.unsubscribe', [id])).toBe(false)
      expect(await mine.call('node.unsubscribe')).toBe(false)
      expect(await mine.call('node.unsubscribe', { id: '0x1' })).toBe(false)
      expect(source.finished).toBe(0)
      const id = await mine.call('node.subscribe', ['numbers', null, { credit: 1 }])
      expect(await mine.call('node.unsubscribe', [id])).toBe(true)
      expect(await mine.call('node.unsubscribe', [id])).toBe(false)
      expect((await kept.next()).value).toBe(0)
    })

    it('exist for no name but those of streams and events', async () => {
      const { client } = await served(harness)
      const connection = await client()
      const names: unknown[] = [
        'ping',
        'constructor',
        '__proto__',
        'toString',
        'then',
        'Numbers',
        'numbers ',
        '',
        'node.numbers',
      ]
      for (const name of names)
        expect([name, await codeOf(connection.call('node.subscribe', [name]))]).toEqual([name, 'unknown_method'])
      for (const params of [[5], [null], [['numbers']], [{ key: 'numbers' }], [], { 0: 'numbers' }, undefined])
        expect([params, await codeOf(connection.call('node.subscribe', params))]).toEqual([params, 'invalid_params'])
      expect(await codeOf(connection.call('node.numbers'))).toBe('unknown_method')
      expect(await codeOf(connection.call('node.joined'))).toBe('unknown_method')
    })
  })
}

describe('a subscriber that does not read', () => {
  it('stops its streams at the limits of the queue, and is cut', async () => {
    const limits = { maxQueuedFrames: 100, stallMs: 300 }
    const { address, server, source, told } = await served(everyHarness[1] as ServiceHarness, { limits })
    const peer = await rawClient(address.slice('unix:'.length))
    peer.socket.pause()
    peer.send('{"jsonrpc":"2.0","id":1,"method":"node.subscribe","params":["numbers"]}\n')
    await until(() => source.made > 0)
    await until(() => server.connections === 0)
    expect(source.finished).toBe(1)
    expect(told.map(([, error]) => isPosternError(error) && error.code)).toEqual(['slow_consumer'])
    // What the kernel holds, some hundred KB, and the queue: not what a generator makes in 300 ms.
    expect(source.made).toBeLessThan(20_000)
  })

  it('still gets what it asked for after it said its last word, until the stream ends', async () => {
    const { address, server, source } = await served(everyHarness[1] as ServiceHarness)
    const peer = await rawClient(address.slice('unix:'.length))
    peer.send('{"jsonrpc":"2.0","id":1,"method":"node.subscribe","params":["numbers",300]}\n')
    peer.socket.end()
    expect(await peer.value()).toMatchObject({ id: 1, result: '0x1' })
    for (let n = 0; n < 300; n++) expect(await peer.value()).toMatchObject({ params: { result: n } })
    expect(await peer.value()).toMatchObject({ params: { done: true } })
    await peer.ended()
    expect(source.finished).toBe(1)
    await until(() => server.connections === 0)
  })
})
