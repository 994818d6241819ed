import { expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import {
  type CallOptions,
  type Connection,
  connect,
  contract,
  event,
  type Gap,
  type ItemStream,
  type Listening,
  method,
  stream,
} from '../index.ts'

const node = contract('node', {
  info: method({ returns: z.object({ version: z.string() }) }),
  transfer: method({ params: z.object({ to: z.string(), amount: z.int() }), returns: z.string() }),
  pick: method({ params: z.object({ n: z.int() }).optional(), returns: z.int() }),
  parse: method({ params: z.string().transform(Number), returns: z.string().transform(Number) }),
  sum: method({ params: z.tuple([z.int(), z.int()]), positional: true }),
  anything: method(),
  blocks: stream({ params: z.object({ from: z.int() }), yields: z.object({ number: z.string().transform(Number) }) }),
  logs: stream({ params: z.object({ level: z.string() }).optional(), yields: z.string() }),
  ticks: stream(),
  joined: event({ payload: z.object({ at: z.string().transform(Number) }) }),
  left: event(),
})

declare const connection: Connection<typeof node.members>
const { api, on } = connection

it('types methods by the contract', () => {
  expectTypeOf(api.info).returns.resolves.toEqualTypeOf<{ version: string }>()
  expectTypeOf(api.transfer).parameter(0).toEqualTypeOf<{ to: string; amount: number }>()
  expectTypeOf(api.pick).parameter(0).toEqualTypeOf<{ n: number } | undefined>()
  expectTypeOf(api.pick).toBeCallableWith()
  expectTypeOf(api.parse).parameter(0).toEqualTypeOf<string>()
  expectTypeOf(api.parse).returns.resolves.toEqualTypeOf<number>()
  expectTypeOf(api.sum).parameter(0).toEqualTypeOf<[number, number]>()
  expectTypeOf(api.anything).toBeCallableWith()
  expectTypeOf(api.anything).toBeCallableWith({ any: 'thing' })
  expectTypeOf(api.anything).returns.resolves.toEqualTypeOf<unknown>()
  // @ts-expect-error params are needed
  void api.transfer()
  // @ts-expect-error and must be of the right type
  void api.transfer({ to: 1, amount: 1 })
  // @ts-expect-error and no more than that
  void api.transfer({ to: 'a', amount: 1, more: 1 })
  // @ts-expect-error there is no such method
  void api.nothing()
})

it('takes signal, timeoutMs and onProgress for a call, and nothing that the contract decides', () => {
  expectTypeOf(api.info).parameter(1).toEqualTypeOf<Omit<CallOptions, 'raw' | 'idempotent'> | undefined>()
  void api.transfer(
    { to: 'a', amount: 1 },
    { signal: new AbortController().signal, timeoutMs: 1, onProgress: (bytes) => expectTypeOf(bytes).toBeNumber() },
  )
  // @ts-expect-error a typed call is decoded
  void api.info(undefined, { raw: true })
  // @ts-expect-error whether it may run twice is for the contract to say
  void api.info(undefined, { idempotent: true })
})

it('types streams by the contract', async () => {
  expectTypeOf(api.blocks({ from: 1 })).toEqualTypeOf<ItemStream<{ number: number }>>()
  expectTypeOf(api.blocks({ from: 1 }).ready).toEqualTypeOf<Promise<string>>()
  for await (const block of api.blocks({ from: 1 })) expectTypeOf(block).toEqualTypeOf<{ number: number }>()
  for await (const line of api.logs()) expectTypeOf(line).toEqualTypeOf<string>()
  for await (const tick of api.ticks()) expectTypeOf(tick).toEqualTypeOf<unknown>()
  expectTypeOf(await api.logs().next()).toEqualTypeOf<IteratorResult<string, undefined>>()
  await using logs = api.logs({ level: 'info' })
  void logs
  // @ts-expect-error params are needed
  void api.blocks()
  // @ts-expect-error and of the right type
  void api.blocks({ from: '1' })
  // @ts-expect-error an item is not a number
  for await (const block of api.blocks({ from: 1 })) block.toFixed()
})

it('wants of onGap of a stream the params to go on with, or nothing to go on with the same', () => {
  const { signal } = new AbortController()
  void api.blocks({ from: 1 }, { signal, onGap: ({ received }) => ({ from: 1 + received }) })
  void api.blocks({ from: 1 }, { onGap: () => undefined })
  void api.blocks({ from: 1 }, { onGap: (gap) => (gap.received > 0 ? { from: gap.received } : undefined) })
  void api.blocks({ from: 1 }, { onGap: (gap) => void expectTypeOf(gap).toEqualTypeOf<Gap>() })
  void api.ticks(undefined, { onGap: () => undefined })
  // @ts-expect-error no params of this stream
  void api.blocks({ from: 1 }, { onGap: () => ({ to: 1 }) })
  // @ts-expect-error nobody waits for a promise
  void api.blocks({ from: 1 }, { onGap: async () => ({ from: 1 }) })
  // @ts-expect-error a stream has no deadline
  void api.blocks({ from: 1 }, { timeoutMs: 1 })
})

it('types events by the contract', () => {
  const listening = on.joined((payload) => expectTypeOf(payload).toEqualTypeOf<{ at: number }>())
  expectTypeOf(listening).toEqualTypeOf<Listening>()
  expectTypeOf(listening.ready).toEqualTypeOf<Promise<string>>()
  using left = on.left((payload) => expectTypeOf(payload).toEqualTypeOf<unknown>())
  void left
  on.joined(async () => undefined, {
    signal: new AbortController().signal,
    onGap: (gap) => expectTypeOf(gap).toEqualTypeOf<Gap>(),
  })
  // @ts-expect-error another payload
  on.joined((payload: string) => payload)
  // @ts-expect-error a stream is not listened to
  void on.blocks
  // @ts-expect-error neither is a method
  void on.info
  // @ts-expect-error there is no such event
  void on.nothing
  // @ts-expect-error an event is not called
  void api.joined
  // @ts-expect-error a listener is needed
  on.left()
})

it('gives the api, not what it resolves to, when it is awaited', async () => {
  expectTypeOf<Awaited<typeof api>>().toEqualTypeOf<typeof api>()
  expectTypeOf(await api).toEqualTypeOf<typeof api>()
  // @ts-expect-error no member, so that it is no promise
  void api.then
})

it('types calls without a contract', async () => {
  const plain = await connect('memory:x')
  expectTypeOf(plain).toEqualTypeOf<Connection>()
  expectTypeOf(plain.api).toEqualTypeOf<{}>()
  expectTypeOf(plain.on).toEqualTypeOf<{}>()
  expectTypeOf(plain.emit).toEqualTypeOf<{}>()
  expectTypeOf(plain.call('a')).resolves.toEqualTypeOf<unknown>()
  expectTypeOf(plain.call('a', [], { raw: true })).resolves.toEqualTypeOf<Uint8Array>()
  expectTypeOf(plain.batch([['a'], ['b', [1]]])).resolves.toEqualTypeOf<PromiseSettledResult<unknown>[]>()
  for await (const item of plain.subscribe('eth_subscribe', ['newHeads'])) expectTypeOf(item).toEqualTypeOf<unknown>()
  // @ts-expect-error nothing is known of it
  void plain.api.info
  // @ts-expect-error a name of a method is a text
  void plain.call(5)
})
