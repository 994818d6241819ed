import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { connect } from '../../src/app/connect.ts'
import { serve } from '../../src/app/serve.ts'
import { isPosternError } from '../../src/core/errors.ts'
import { contract } from '../../src/service/contract.ts'
import { isDeclaredError } from '../../src/service/declared-error.ts'
import { event, method, stream } from '../../src/service/members.ts'
import { until } from '../../src/testing/until.ts'
import { codeOf, drain, everyHarness, opened, type ServiceHarness } from './service.ts'

const node = contract('node', {
  work: method({ params: z.int(), returns: z.int() }),
  relay: stream({ params: z.int(), yields: z.int() }),
  listen: method({ returns: z.int() }),
  fails: method({ errors: { refused_there: null } }),
  joined: event({ payload: z.int() }),
})
const screen = contract('screen', {
  ask: method({ params: z.int(), returns: z.int(), errors: { busy_drawing: null } }),
  lines: stream({ params: z.int(), yields: z.int() }),
  moved: event({ payload: z.int() }),
})

interface Heard {
  readonly moved: number[]
  finished: number
}

const serverHandlers = (heard: Heard): Parameters<typeof opened<typeof node.members, typeof screen.members>>[2] => ({
  work: async (n, { client }) => (await client.api.ask(n)) + 1,
  async *relay(to, { client }) {
    for await (const line of client.api.lines(to)) yield line * 2
  },
  listen: async (_params, { client }) => {
    await client.on.moved((to) => heard.moved.push(to)).ready
    return 0
  },
  fails: async (_params, { client, fail }) => {
    try {
      await client.api.ask(-1)
    } catch (error) {
      if (isDeclaredError(error, screen.members.ask, 'busy_drawing')) throw fail('refused_there')
      throw error
    }
  },
})

const clientHandlers = (heard: Heard) => ({
  ask: async (n: number, { fail }: { fail: (code: 'busy_drawing') => Error }) => {
    if (n < 0) throw fail('busy_drawing')
    return n * 10
  },
  async *lines(to: number) {
    try {
      for (let n = 0; n < to; n++) yield n
    } finally {
      heard.finished++
    }
  },
})

async function both(harness: ServiceHarness) {
  const heard: Heard = { moved: [], finished: 0 }
  const served = await opened(harness, node, serverHandlers(heard), { client: screen })
  const client = () => served.client({ serve: [screen, clientHandlers(heard)] as const })
  return { ...served, client, heard }
}

for (const harness of everyHarness) {
  describe(`both sides over ${harness.name}`, () => {
    it('call each other, stream and emit in both directions', async () => {
      const { client, server, heard } = await both(harness)
      const connection = await client()
      const { api, emit, on } = connection
      expect(await api.work(4)).toBe(41)
      expect(await drain(api.relay(300))).toEqual({ items: Array.from({ length: 300 }, (_, n) => n * 2) })
      expect(heard.finished).toBe(1)
      await api.listen()
      const joined: number[] = []
      await on.joined((n) => joined.push(n)).ready
      for (let n = 0; n < 10; n++) {
        emit.moved(n)
        server.emit.joined(n)
      }
      await until(() => heard.moved.length === 10 && joined.length === 10)
      expect(heard.moved).toEqual(joined)
      expect(await codeOf(api.fails())).toBe('refused_there')
    })

    it('call back 64 times while 64 calls are in flight, and more than may run at once', async () => {
      const { client } = await both(harness)
      const { api } = await client()
      for (const calls of [64, 1_000]) {
        const results = await Promise.all(Array.from({ length: calls }, (_, n) => api.work(n)))
        expect(results).toEqual(Array.from({ length: calls }, (_, n) => n * 10 + 1))
      }
    })

    it('end a stream at the far side when its reader is itself left', async () => {
      const { client, heard } = await both(harness)
      const { api } = await client()
      for await (const n of api.relay(Number.MAX_SAFE_INTEGER)) if (n === 10) break
      await until(() => heard.finished === 1)
      expect(await api.work(1)).toBe(11)
    })

    it('keep each client to itself', async () => {
      const { client, heard } = await both(harness)
      const [first, second] = [await client(), await client()]
      await first.api.listen()
      second.emit.moved(2)
      first.emit.moved(1)
      await until(() => heard.moved.length > 0)
      await second.api.work(1)
      expect(heard.moved).toEqual([1])
    })

    it('settle everything at both when one of them goes', async () => {
      const { client, server, heard } = await both(harness)
      const connection = await client()
      const { api } = connection
      await api.listen()
      const relay = api.relay(Number.MAX_SAFE_INTEGER)
      await relay.next()
      connection.abort()
      expect(isPosternError((await drain(relay)).error, 'closed')).toBe(true)
      await until(() => heard.finished === 1 && server.connections === 0)
    })

    it('tell each other what they serve', async () => {
      const address = await harness.address()
      const described: unknown[] = []
      const server = await serve(
        { look: async (_params: unknown, ctx) => described.push(await ctx.client.call('rpc.discover')) },
        { at: address },
      )
      const connection = await connect(address, { serve: [screen, clientHandlers({ moved: [], finished: 0 })] })
      await connection.call('look')
      await connection.close()
      await server.close()
      expect(described).toMatchObject([
        {
          'x-contract': { name: 'screen' },
          methods: [{ name: 'screen.ask' }],
          'x-streams': [{ name: 'screen.lines' }],
        },
      ])
    })
  })

  describe(`plain handlers of a client over ${harness.name}`, () => {
    it('answer ctx.client.call, which has no functions of a contract', async () => {
      const address = await harness.address()
      const server = await serve(
        {
          work: async (_params: unknown, ctx) => {
            const client = ctx.client as typeof ctx.client & { readonly api: object; readonly on: object }
            return [Object.keys(client.api), Object.keys(client.on), await ctx.client.call('ask', 'name')]
          },
          note: async (_params: unknown, ctx) => ctx.client.notify('noted', [1]),
        },
        { at: address },
      )
      const noted: unknown[] = []
      const connection = await connect(address, {
        handlers: { ask: (what: string) => `my ${what}`, noted: (n: number) => noted.push(n) },
      })
      expect(await connection.call('work')).toEqual([[], [], 'my name'])
      await connection.call('note')
      await until(() => noted.length === 1)
      await connection.close()
      await server.close()
    })

    it('are none where the client serves nothing', async () => {
      const address = await harness.address()
      const server = await serve(
        { work: async (_params: unknown, ctx) => await codeOf(ctx.client.call('ask')) },
        { at: address },
      )
      const connection = await connect(address)
      expect(await connection.call('work')).toBe('unknown_method')
      await connection.close()
      await server.close()
    })
  })
}

describe('what a client serves', () => {
  const wrong: readonly [why: string, options: object, message: RegExp][] = [
    ['both ways at once', { serve: [screen, {}], handlers: {} }, /takes serve or handlers, not both/],
    ['no contract', { serve: [{}, {}] }, /serve: \[contract, handlers\]/],
    ['no list', { serve: screen }, /serve: \[contract, handlers\]/],
    ['no handlers', { serve: [screen] }, /serve: \[contract, handlers\]/],
    ['a handler missing', { serve: [screen, { ask: () => 1 }] }, /has a stream lines, but no handler/],
    ['a handler of an event', { serve: [screen, { moved: () => 1 }] }, /moved is an event: it has no handler/],
    ['a handler too many', { serve: [screen, { nothing: () => 1 }] }, /contract screen does not have/],
    [
      'a member that asks for access',
      { serve: [contract('a', { b: method({ access: 'admin' }) }), { b: () => 1 }] },
      /a\.b asks for access, which addresses give/,
    ],
    ['no function', { handlers: { a: 5 } }, /handler of a must be a function/],
    ['a reserved name', { handlers: { 'rpc.x': () => 1 } }, /rpc\.\* is reserved/],
  ]
  for (const [why, options, message] of wrong) {
    it(`is refused for ${why}`, async () => {
      await expect(connect('memory:nobody', options as never)).rejects.toThrow(message)
    })
  }

  it('is what serve says of its clients', async () => {
    const given = { at: 'memory:nobody', client: { ask: 1 } as never }
    await expect(serve(node, serverHandlers({ moved: [], finished: 0 }), given)).rejects.toThrow(
      /client is the contract that the clients serve/,
    )
  })
})
