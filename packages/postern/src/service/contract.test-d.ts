import { expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import {
  type BareMembers,
  type Contract,
  connect,
  contract,
  type EventMember,
  event,
  type MethodMember,
  method,
  type StreamMember,
  serve,
  stream,
} from '../index.ts'

const shortfall = z.object({ missing: z.int() })
const node = contract('node', {
  info: method({ returns: z.string() }),
  transfer: method({ params: z.string(), errors: { insufficient_funds: shortfall, frozen: null } }),
  nothing: method(),
  blocks: stream({ params: z.object({ from: z.int() }), yields: z.int() }),
  ticks: stream(),
  joined: event({ payload: z.string() }),
  left: event(),
})

it('keeps of each member what was said, and takes what was left out for not said', () => {
  const { info, transfer, nothing, blocks, ticks, joined, left } = node.members
  expectTypeOf(info).toExtend<MethodMember<undefined, z.ZodString, {}>>()
  expectTypeOf(nothing.errors).toEqualTypeOf<{} | undefined>()
  expectTypeOf(nothing.params).toEqualTypeOf<undefined>()
  expectTypeOf(nothing.returns).toEqualTypeOf<undefined>()
  expectTypeOf(transfer.errors).toEqualTypeOf<{ insufficient_funds: typeof shortfall; frozen: null } | undefined>()
  expectTypeOf(blocks).toExtend<StreamMember<z.ZodObject<{ from: z.ZodInt }>, z.ZodInt>>()
  expectTypeOf(ticks.yields).toEqualTypeOf<undefined>()
  expectTypeOf(joined).toExtend<EventMember<z.ZodString>>()
  expectTypeOf(left.payload).toEqualTypeOf<undefined>()
})

it('refuses what belongs to another kind of member, and what is no schema', () => {
  // @ts-expect-error only methods return
  void stream({ returns: z.string() })
  // @ts-expect-error only streams yield
  void method({ yields: z.string() })
  // @ts-expect-error an event is not called
  void event({ params: z.string() })
  // @ts-expect-error only methods declare errors
  void stream({ errors: { frozen: null } })
  // @ts-expect-error a slip of the pen
  void method({ param: z.string() })
  // @ts-expect-error no schema
  void method({ params: 'string' })
  // @ts-expect-error no schema and not null
  void method({ errors: { frozen: undefined } })
  // @ts-expect-error one level
  void method({ access: ['admin'] })
  // @ts-expect-error no member
  void contract('node', { info: () => 1 })
  // @ts-expect-error no such separator
  void contract('node', { info: method() }, { separator: '-' })
  // @ts-expect-error only contracts of an interface are positional as a whole
  void contract('node', { info: method() }, { positional: true })
})

interface NodeApi {
  now(): number
  version(): Promise<string>
  format(params: { zone: string }): string
  limit(count?: number): void
  transfer(to: string, amount: number): string
  all(...names: string[]): string
  /** No method. */
  uptime: number
  then(resolve: () => void): void
  toString(): string
}

it('takes of an interface its methods of no or one parameter', () => {
  const bare = contract<NodeApi>('node')
  expectTypeOf(bare).toEqualTypeOf<Contract<BareMembers<NodeApi>>>()
  expectTypeOf<keyof typeof bare.members>().toEqualTypeOf<'now' | 'version' | 'format' | 'limit'>()
  void contract<NodeApi>('node', { separator: '_', foreign: true, positional: true })
  // @ts-expect-error no such option
  void contract<NodeApi>('node', { access: 'admin' })
})

it('types the api of a bare contract, which has neither streams nor events', async () => {
  const { api, on } = await connect('memory:x', contract<NodeApi>('node'))
  expectTypeOf(api.now()).toEqualTypeOf<Promise<number>>()
  expectTypeOf(api.version()).toEqualTypeOf<Promise<string>>()
  expectTypeOf(api.format).parameter(0).toEqualTypeOf<{ zone: string }>()
  expectTypeOf(api.limit).parameter(0).toEqualTypeOf<number | undefined>()
  expectTypeOf(api.limit).toBeCallableWith()
  expectTypeOf(api.limit()).toEqualTypeOf<Promise<void>>()
  expectTypeOf(on).toEqualTypeOf<{}>()
  // @ts-expect-error one is needed
  void api.format()
  // @ts-expect-error and of its type
  void api.format({ zone: 1 })
  // @ts-expect-error takes none
  void api.now(1)
  // @ts-expect-error two parameters: a method takes one value
  void api.transfer('a', 1)
  // @ts-expect-error neither with one of them
  void api.transfer('a')
  // @ts-expect-error any number of parameters
  void api.all('a')
  // @ts-expect-error no method
  void api.uptime
  // @ts-expect-error would be a promise
  void api.then
})

it('types the handlers of a bare contract', async () => {
  const bare = contract<NodeApi>('node')
  const server = await serve(
    bare,
    {
      now: () => 1,
      version: async () => '1',
      format: ({ zone }, ctx) => {
        expectTypeOf(zone).toEqualTypeOf<string>()
        expectTypeOf(ctx.fail).toBeCallableWith('anything', { at: 'all' }, 'why')
        expectTypeOf(ctx.fail).toBeCallableWith(3)
        return zone
      },
      limit: (count) => {
        expectTypeOf(count).toEqualTypeOf<number | undefined>()
      },
    },
    { at: 'memory:x' },
  )
  expectTypeOf(server.emit).toEqualTypeOf<{}>()
  // @ts-expect-error a handler is missing
  void serve(bare, { now: () => 1, version: () => '', limit: () => {} }, { at: 'memory:x' })
  // @ts-expect-error a handler returns the wrong type
  void serve(bare, { now: () => '1', version: () => '', format: () => '', limit: () => {} }, { at: 'memory:x' })
})

it('types a bare positional contract by the array that travels', async () => {
  interface Eth {
    getBalance(params: readonly [account: string, block: string]): string
    chainId(): string
  }
  const eth = contract<Eth>('eth', { separator: '_', foreign: true, positional: true })
  const { api } = await connect('memory:x', eth)
  expectTypeOf(api.getBalance(['0x1', 'latest'])).toEqualTypeOf<Promise<string>>()
  expectTypeOf(api.chainId()).toEqualTypeOf<Promise<string>>()
  // @ts-expect-error both are needed
  void api.getBalance(['0x1'])
  // @ts-expect-error one value
  void api.getBalance('0x1', 'latest')
})
