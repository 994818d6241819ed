import { expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { type Connection, connect, contract, method, serve } from '../index.ts'

const node = contract('node', {
  info: method({ returns: z.object({ version: z.string() }) }),
  transfer: method({ params: z.object({ to: z.string(), amount: z.int() }), returns: z.string() }),
  pick: method({ params: z.object({ n: z.int() }).optional(), returns: z.int() }),
  parse: method({ params: z.string().transform(Number), returns: z.string().transform(Number) }),
  sum: method({ params: z.tuple([z.int(), z.int()]), positional: true }),
  anything: method(),
})

it('types an api by its contract', async () => {
  const connection = await connect('memory:x', node)
  const { api } = connection
  expectTypeOf(api.info).returns.resolves.toEqualTypeOf<{ version: string }>()
  expectTypeOf(api.transfer).parameter(0).toEqualTypeOf<{ to: string; amount: number }>()
  expectTypeOf(api.pick).parameter(0).toEqualTypeOf<{ n: number } | undefined>()
  expectTypeOf(api.parse).parameter(0).toEqualTypeOf<string>()
  expectTypeOf(api.parse).returns.resolves.toEqualTypeOf<number>()
  expectTypeOf(api.sum).parameter(0).toEqualTypeOf<[number, number]>()
  expectTypeOf(api.anything).returns.resolves.toEqualTypeOf<unknown>()
  // @ts-expect-error params are needed
  void api.transfer()
  // @ts-expect-error and must be of the right type
  void api.transfer({ to: 1, amount: 1 })
  // @ts-expect-error there is no such method
  void api.nothing()
  // @ts-expect-error a typed call is decoded
  void api.info(undefined, { raw: true })
})

it('types handlers by the contract', () => {
  const options = { at: 'memory:x' }
  const rest = { pick: () => 1, sum: () => 0, anything: () => 0, info: () => ({ version: '1' }) }
  void serve(
    node,
    {
      ...rest,
      transfer: ({ to, amount }, ctx) => {
        expectTypeOf(to).toEqualTypeOf<string>()
        expectTypeOf(amount).toEqualTypeOf<number>()
        expectTypeOf(ctx.signal).toEqualTypeOf<AbortSignal>()
        return to
      },
      parse: (value) => {
        expectTypeOf(value).toEqualTypeOf<number>()
        return '5'
      },
    },
    options,
  )
  // @ts-expect-error a handler is missing
  void serve(node, { ...rest, transfer: () => '' }, options)
  // @ts-expect-error a handler returns the wrong type
  void serve(node, { ...rest, parse: () => '', transfer: () => 5 }, options)
})

it('types calls without a contract', async () => {
  const connection = await connect('memory:x')
  expectTypeOf(connection).toEqualTypeOf<Connection>()
  expectTypeOf(connection.call('a')).resolves.toEqualTypeOf<unknown>()
  expectTypeOf(connection.call('a', [], { raw: true })).resolves.toEqualTypeOf<Uint8Array>()
})
