import { expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import {
  type Connection,
  connect,
  contract,
  event,
  type ItemStream,
  type Middleware,
  method,
  type ServedCall,
  type Server,
  serve,
  stream,
} from '../index.ts'

const node = contract('node', {
  work: method({ params: z.string(), returns: z.string() }),
  blocks: stream({ yields: z.int() }),
  joined: event({ payload: z.object({ name: z.string().transform((name) => name.length) }) }),
  left: event(),
  maybe: event({ payload: z.string().optional() }),
})
const screen = contract('screen', {
  ask: method({ params: z.string(), returns: z.boolean() }),
  lines: stream({ params: z.object({ of: z.string() }), yields: z.string() }),
  moved: event({ payload: z.int() }),
})

it('emits the events of the contract, with what goes into their schemas', async () => {
  const server = await serve(node, { work: (text) => text, blocks: () => [1] }, { at: 'memory:x' })
  expectTypeOf(server).toEqualTypeOf<Server<typeof node.members>>()
  expectTypeOf(server.emit.joined).toEqualTypeOf<(payload: { name: string }) => void>()
  server.emit.joined({ name: 'alice' })
  server.emit.left()
  server.emit.left({ any: 'thing' })
  server.emit.maybe()
  server.emit.maybe('text')
  // @ts-expect-error another payload
  server.emit.maybe(5)
  // @ts-expect-error the payload is needed
  server.emit.joined()
  // @ts-expect-error what comes out of the schema is not what goes in
  server.emit.joined({ name: 5 })
  // @ts-expect-error no such event
  server.emit.nothing()
  // @ts-expect-error a stream is not emitted
  server.emit.blocks()
  // @ts-expect-error neither is a method
  server.emit.work('')
  const plain = await serve({ a: () => 1 }, { at: 'memory:y' })
  // @ts-expect-error without a contract there are no events
  plain.emit.joined({ name: 'alice' })
})

it('lets handlers emit with the server that they make', async () => {
  const server = await serve(
    node,
    {
      work: async (name) => {
        server.emit.joined({ name })
        return name
      },
      async *blocks() {
        server.emit.left()
        yield 1
      },
    },
    { at: 'memory:x' },
  )
  expectTypeOf(server).toEqualTypeOf<Server<typeof node.members>>()
})

it('types ctx.client by the contract that clients serve, also beside functions among the options', () => {
  void serve(
    node,
    {
      work: async (text, { client }) => {
        expectTypeOf(client.api.ask(text)).toEqualTypeOf<Promise<boolean>>()
        expectTypeOf(client.api.lines({ of: text })).toEqualTypeOf<ItemStream<string>>()
        client.on.moved((to) => expectTypeOf(to).toEqualTypeOf<number>())
        expectTypeOf(client.call('any.name')).toEqualTypeOf<Promise<unknown>>()
        // @ts-expect-error its params are a text
        void client.api.ask(5)
        // @ts-expect-error there is no such method
        void client.api.nothing()
        // @ts-expect-error an event is no method
        void client.api.moved()
        return text
      },
      async *blocks(_params, { client }) {
        if (await client.api.ask('')) yield 1
      },
    },
    { at: 'memory:x', client: screen, use: [(call, next) => next(call)], onError: (error) => void error },
  )
  void serve(
    node,
    {
      work: (text, { client }) => {
        // @ts-expect-error nothing is known of what clients serve
        void client.api.ask(text)
        return text
      },
      blocks: () => [1],
    },
    { at: 'memory:x' },
  )
})

it('types the handlers of what a client serves, and what it emits', async () => {
  const connection = await connect('memory:x', node, {
    serve: [
      screen,
      {
        ask: (question, ctx) => {
          expectTypeOf(question).toEqualTypeOf<string>()
          expectTypeOf(ctx.signal).toEqualTypeOf<AbortSignal>()
          return question === ''
        },
        async *lines({ of }) {
          expectTypeOf(of).toEqualTypeOf<string>()
          yield of
        },
      },
    ],
    onDisconnect: (reason) => void reason,
  })
  expectTypeOf(connection).toEqualTypeOf<Connection<typeof node.members, typeof screen.members>>()
  connection.emit.moved(5)
  // @ts-expect-error another payload
  connection.emit.moved('5')
  // @ts-expect-error an event of the server is for the server to emit
  connection.emit.joined({ name: '' })
  // @ts-expect-error a handler is missing
  void connect('memory:x', node, { serve: [screen, { ask: () => true }] })
  // @ts-expect-error a handler returns the wrong type
  void connect('memory:x', node, { serve: [screen, { ask: () => 'yes', lines: () => [''] }] })
  // @ts-expect-error handlers without their contract
  void connect('memory:x', node, { serve: [{ ask: () => true }] })
  const plain = await connect('memory:x', { serve: [screen, { ask: (text) => text === '', lines: () => [''] }] })
  plain.emit.moved(1)
})

it('types places, and middleware of both sides', async () => {
  const log: Middleware<ServedCall> = (call, next) => {
    expectTypeOf(call.kind).toEqualTypeOf<'method' | 'stream' | 'event'>()
    expectTypeOf(call.method).toEqualTypeOf<string>()
    expectTypeOf(call.params).toEqualTypeOf<unknown>()
    return next({ ...call, params: null })
  }
  const handlers = { a: () => 1 }
  const place = { address: 'memory:x', access: ['admin'], group: 'wheel', token: { file: 't' } }
  void serve(handlers, { at: ['memory:y', place], use: [log] })
  void connect('memory:x', {
    use: [
      ({ method: name, params, options }, next) => {
        expectTypeOf(name).toEqualTypeOf<string>()
        return next({ method: name, params, options: { ...options, timeoutMs: 1 } })
      },
    ],
  })
  // @ts-expect-error a list of levels
  void serve(handlers, { at: { address: 'memory:x', access: 'admin' } })
  // @ts-expect-error a token never stands in the program
  void serve(handlers, { at: { address: 'memory:x', token: 'secret' } })
  // @ts-expect-error an address is needed
  void serve(handlers, { at: { access: ['admin'] } })
  // @ts-expect-error no such option
  void serve(handlers, { at: 'memory:x', port: 80 })
  // @ts-expect-error at is needed
  void serve(handlers, {})
  // @ts-expect-error a contract comes with its handlers
  void serve(node, { at: 'memory:x' })
})
