import { expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { type CallContext, type Caller, contract, event, type HandlersOf, method, serve, stream } from '../index.ts'

const node = contract('node', {
  transfer: method({
    params: z.object({ to: z.string(), amount: z.string().transform(Number) }),
    returns: z.string().transform(Number),
    errors: { insufficient_funds: z.object({ missing: z.int() }), frozen: null, note: z.string().transform(Number) },
  }),
  plain: method(),
  blocks: stream({ params: z.object({ from: z.int() }), yields: z.object({ number: z.string().transform(Number) }) }),
  ticks: stream(),
  joined: event({ payload: z.object({ name: z.string() }) }),
})
type Handlers = HandlersOf<typeof node.members>

const at = 'memory:x'
const rest = {
  transfer: () => '1',
  plain: () => 1,
  async *blocks() {
    yield { number: '1' }
  },
  async *ticks() {
    yield 1
  },
}

it('gives a handler what comes out of its schema, and takes what goes into that of its result', () => {
  void serve(
    node,
    {
      ...rest,
      transfer: (params, ctx) => {
        expectTypeOf(params).toEqualTypeOf<{ to: string; amount: number }>()
        expectTypeOf(ctx.signal).toEqualTypeOf<AbortSignal>()
        expectTypeOf(ctx.method).toEqualTypeOf<string>()
        expectTypeOf(ctx.client).toExtend<Caller>()
        return '5'
      },
      plain: (params) => {
        expectTypeOf(params).toEqualTypeOf<unknown>()
      },
    },
    { at },
  )
  expectTypeOf<ReturnType<Handlers['transfer']>>().toEqualTypeOf<string | Promise<string>>()
  // @ts-expect-error its result is the wrong type
  void serve(node, { ...rest, transfer: () => 5 }, { at })
  // @ts-expect-error also in a promise
  void serve(node, { ...rest, transfer: async () => 5 }, { at })
  // @ts-expect-error its params are others
  void serve(node, { ...rest, transfer: (params: { from: string }) => params.from }, { at })
})

it('wants a handler for each method and stream, and none for anything else', () => {
  const noMethod = { plain: rest.plain, blocks: () => [], ticks: () => [1] }
  const noStream = { transfer: rest.transfer, plain: rest.plain, ticks: () => [1] }
  // @ts-expect-error the method transfer has none
  void serve(node, noMethod, { at })
  // @ts-expect-error the stream blocks has none
  void serve(node, noStream, { at })
  // @ts-expect-error an event has no handler
  void serve(node, { ...rest, joined: () => 1 }, { at })
  // @ts-expect-error no such member
  void serve(node, { ...rest, more: () => 1 }, { at })
  // @ts-expect-error no function
  void serve(node, { ...rest, plain: 1 }, { at })
})

it('takes iterables of what goes into the schema of the items, however they are made', () => {
  void serve(
    node,
    {
      ...rest,
      async *blocks({ from }, ctx) {
        expectTypeOf(from).toEqualTypeOf<number>()
        expectTypeOf(ctx.signal).toEqualTypeOf<AbortSignal>()
        yield { number: '1' }
      },
    },
    { at },
  )
  void serve(node, { ...rest, blocks: () => [{ number: '1' }] }, { at })
  void serve(node, { ...rest, blocks: async () => [{ number: '1' }] }, { at })
  void serve(node, { ...rest, blocks: async () => rest.blocks() }, { at })
  // @ts-expect-error an item of the wrong type
  void serve(node, { ...rest, blocks: () => [{ number: 1 }] }, { at })
  const wrong = async function* () {
    yield { number: 1 }
  }
  // @ts-expect-error also of a generator
  void serve(node, { ...rest, blocks: wrong }, { at })
  // @ts-expect-error no iterable
  void serve(node, { ...rest, blocks: () => ({ number: '1' }) }, { at })
  // @ts-expect-error nothing at all
  void serve(node, { ...rest, ticks: () => {} }, { at })
})

it('lets a method fail with the errors that it declares, and with their details', () => {
  const transfer: Handlers['transfer'] = (_params, { fail }) => {
    expectTypeOf(fail('insufficient_funds', { missing: 1 })).toEqualTypeOf<Error>()
    fail('insufficient_funds', { missing: 1 }, 'not enough')
    fail('frozen')
    fail('frozen', undefined, 'the account is frozen')
    fail('note', 'what goes into the schema')
    // @ts-expect-error not declared
    fail('no_such_account')
    // @ts-expect-error a number is no declared code
    fail(3)
    // @ts-expect-error details are needed
    fail('insufficient_funds')
    // @ts-expect-error others
    fail('insufficient_funds', { missing: 'a lot' })
    // @ts-expect-error has none
    fail('frozen', { since: 1 })
    // @ts-expect-error what comes out of the schema is not what goes in
    fail('note', 5)
    return ''
  }
  void transfer
})

it('lets methods without declared errors, and streams, fail with any', () => {
  const plain: Handlers['plain'] = (_params, ctx) => {
    expectTypeOf(ctx.fail).toEqualTypeOf<CallContext['fail']>()
    throw ctx.fail('any_code', { any: 'details' }, 'any text')
  }
  const ticks: Handlers['ticks'] = (_params, ctx) => {
    expectTypeOf(ctx.fail).toEqualTypeOf<CallContext['fail']>()
    throw ctx.fail(-1)
  }
  void [plain, ticks]
})

it('types the context of plain handlers, whose params are for their writer to say', () => {
  void serve(
    {
      'clock.now': () => Date.now(),
      'clock.format': ({ zone }: { zone: string }, ctx) => {
        expectTypeOf(ctx).toEqualTypeOf<CallContext>()
        return zone
      },
    },
    { at },
  )
  // @ts-expect-error no function
  void serve({ 'clock.now': 5 }, { at })
})
