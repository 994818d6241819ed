import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { isPosternError } from '../../src/core/errors.ts'
import { contract } from '../../src/service/contract.ts'
import { event, method } from '../../src/service/members.ts'
import { until } from '../../src/testing/until.ts'
import { rawClient } from '../raw-peer.ts'
import { codeOf, everyHarness, isText, type Opened, opened, Recorded, type ServiceHarness } from './service.ts'

const node = contract('node', {
  joined: event({ payload: z.object({ name: z.string() }) }),
  scaled: event({ payload: z.int().transform((n) => n * 10) }),
  later: event({ payload: z.int().refine(async (n) => n !== 13, 'must not be 13') }),
  maybe: event({ payload: z.string().optional() }),
  left: event(),
  ping: method(),
})

const handlers = { ping: () => 'pong' }

const served = (
  harness: ServiceHarness,
  options: Parameters<typeof opened>[3] = {},
): Promise<Opened<typeof node.members>> => opened(harness, node, handlers, options)

for (const harness of everyHarness) {
  describe(`an event over ${harness.name}`, () => {
    it('reaches every listener of every client, once each and in order', async () => {
      const { client, server } = await served(harness)
      const heard: number[][] = []
      for (let n = 0; n < 5; n++) {
        const { on } = await client()
        for (let listener = 0; listener < 2; listener++) {
          const mine: number[] = []
          heard.push(mine)
          await on.scaled((payload) => mine.push(payload)).ready
        }
      }
      const sent = Array.from({ length: 200 }, (_, n) => n)
      for (const n of sent) server.emit.scaled(n)
      await until(() => heard.every((mine) => mine.length === sent.length))
      for (const mine of heard) expect(mine).toEqual(sent.map((n) => n * 10))
    })

    it('is heard from ready on, and not before', async () => {
      const { client, server } = await served(harness)
      const { api, on } = await client()
      const heard: unknown[] = []
      server.emit.joined({ name: 'early' })
      const { ready } = on.joined((payload) => heard.push(payload))
      await ready
      server.emit.joined({ name: 'in time' })
      await api.ping()
      expect(heard).toEqual([{ name: 'in time' }])
    })

    it('comes without a payload where there is none', async () => {
      const { client, server } = await served(harness)
      const { api, on } = await client()
      const heard: unknown[] = []
      await Promise.all([on.left((payload) => heard.push(payload)).ready, on.maybe((text) => heard.push(text)).ready])
      server.emit.left()
      server.emit.left({ any: ['thing'] })
      server.emit.maybe(undefined)
      server.emit.maybe('text')
      await api.ping()
      expect(heard).toEqual([null, { any: ['thing'] }, undefined, 'text'])
    })

    it('goes to a listener as often as that was added, and stops where it was stopped', async () => {
      const { client, server } = await served(harness)
      const { api, on } = await client()
      let heard = 0
      const listener = (): void => void heard++
      const controller = new AbortController()
      const first = on.left(listener)
      const second = on.left(listener, { signal: controller.signal })
      const third = on.left(listener)
      await Promise.all([first.ready, second.ready, third.ready])
      const heardOnce = async (): Promise<number> => {
        heard = 0
        server.emit.left()
        await api.ping()
        return heard
      }
      expect(await heardOnce()).toBe(3)
      first.stop()
      first.stop()
      expect(await heardOnce()).toBe(2)
      controller.abort()
      expect(await heardOnce()).toBe(1)
      third[Symbol.dispose]()
      expect(await heardOnce()).toBe(0)
    })

    it('costs the server nothing when nobody listens any more', async () => {
      const tap = new Recorded()
      const { client, server } = await served(harness, { tap })
      const connection = await client()
      const listening = connection.on.left(() => undefined)
      await listening.ready
      listening.stop()
      await connection.api.ping()
      const other = await client()
      await other.on.left(() => undefined).ready
      other.abort()
      await until(() => server.connections === 1)
      server.emit.left()
      await connection.api.ping()
      expect(tap.text).not.toContain('node.subscription')
    })

    it('may be stopped by its listener', async () => {
      const { client, server } = await served(harness)
      const { api, on } = await client()
      let heard = 0
      const listening = on.left(() => {
        heard++
        listening.stop()
      })
      await listening.ready
      for (let n = 0; n < 5; n++) server.emit.left()
      await api.ping()
      expect(heard).toBe(1)
    })

    it('is not heard where a listener throws or rejects: onError is told, and the others hear it', async () => {
      const { client, server, told } = await served(harness)
      const { api, on } = await client()
      const heard: unknown[] = []
      await on.scaled(() => {
        throw new Error('from a listener')
      }).ready
      await on.scaled(async () => {
        throw new Error('from an async one')
      }).ready
      await on.scaled((n) => heard.push(n)).ready
      server.emit.scaled(1)
      server.emit.scaled(2)
      await api.ping()
      await until(() => told.length === 4)
      expect(heard).toEqual([10, 20])
      expect(told.map(([context]) => context)).toEqual(Array(4).fill('node.scaled'))
      expect(new Set(told.map(([, error]) => String(error)))).toEqual(
        new Set(['Error: from a listener', 'Error: from an async one']),
      )
    })

    it('is not heard where its payload is not what the contract says: onError is told', async () => {
      const { client, server, told } = await served(harness)
      const { api, on } = await client()
      const heard: unknown[] = []
      await on.joined((payload) => heard.push(payload)).ready
      await on.later((payload) => heard.push(payload)).ready
      server.emit.joined({ nam: 'alice' } as never)
      server.emit.later(13)
      server.emit.joined({ name: 'bob' })
      server.emit.later(14)
      await api.ping()
      await until(() => heard.length === 2 && told.length === 2)
      expect(heard).toEqual([{ name: 'bob' }, 14])
      const [first, second] = told.map(([context, error]) => [context, isPosternError(error) && error.message])
      expect(first).toEqual(['node.joined', expect.stringMatching(/\[bad_message\] an item of node\.joined .* name:/)])
      expect(second).toEqual(['node.later', expect.stringContaining('must not be 13')])
    })

    it('whose payload cannot be carried throws at who emits it, and reaches nobody', async () => {
      const { client, server } = await served(harness)
      const { api, on } = await client()
      const heard: unknown[] = []
      await on.left((payload) => heard.push(payload)).ready
      await on.left((payload) => heard.push(payload)).ready
      const cyclic: Record<string, unknown> = {}
      cyclic['self'] = cyclic
      const beyondJson = isText(harness) ? [5n, { a: [1, 2n] }, new Uint8Array(3)] : [2n ** 64n]
      for (const payload of [...beyondJson, () => 1, Number.NaN, cyclic])
        expect(() => server.emit.left(payload)).toThrow(TypeError)
      server.emit.left('fine')
      await api.ping()
      expect(heard).toEqual(['fine', 'fine'])
    })

    it('wants a function, and nothing is emitted or heard that the contract does not have', async () => {
      const { client, server } = await served(harness)
      const { on } = await client()
      expect(() => on.left(undefined as never)).toThrow(/on\.left takes a function/)
      expect(Object.keys(server.emit)).toEqual(['joined', 'scaled', 'later', 'maybe', 'left'])
      expect(Object.keys(on)).toEqual(['joined', 'scaled', 'later', 'maybe', 'left'])
      for (const name of ['then', 'constructor', 'toString', 'ping']) {
        expect(name in server.emit).toBe(false)
        expect(name in on).toBe(false)
      }
      expect(await server.emit).toBe(server.emit)
      expect(await on).toBe(on)
    })

    it('that the server refuses rejects ready, and onError is told', async () => {
      const { client, told } = await served(harness, {
        use: [
          (call, next) => {
            if (call.kind === 'event') throw call.ctx.fail('not_for_you')
            return next(call)
          },
        ],
      })
      const { on } = await client()
      expect(await codeOf(on.left(() => undefined).ready)).toBe('remote')
      await until(() => told.length === 1)
      expect(told[0]?.[0]).toBe('node.left')
    })

    it('is not refused in silence where the connection is over', async () => {
      const { client } = await served(harness)
      const connection = await client()
      await connection.close()
      expect(await codeOf(connection.on.left(() => undefined).ready)).toBe('closed')
    })
  })
}

describe('an event whose listener does not read', () => {
  it('cuts that one with slow_consumer, and the others lose nothing', async () => {
    const { address, client, server, told } = await served(everyHarness[1] as ServiceHarness, {
      limits: { maxQueuedFrames: 64 },
    })
    let heard = 0
    await (await client()).on.maybe(() => heard++).ready
    const peer = await rawClient(address.slice('unix:'.length))
    peer.send('{"jsonrpc":"2.0","id":1,"method":"node.subscribe","params":["maybe"]}\n')
    expect(await peer.value()).toMatchObject({ result: 'maybe:1' })
    peer.socket.pause()
    let sent = 0
    const text = 'x'.repeat(10_000)
    while (told.length === 0) {
      if (sent > 10_000) throw new Error('the listener that does not read is never cut')
      for (let n = 0; n < 16; n++, sent++) server.emit.maybe(text)
      await until(() => heard === sent)
    }
    expect(told.map(([, error]) => isPosternError(error) && error.code)).toEqual(['slow_consumer'])
    await until(() => server.connections === 1)
    for (let n = 0; n < 50; n++) server.emit.maybe('on it goes')
    await until(() => heard === sent + 50)
  })
})
