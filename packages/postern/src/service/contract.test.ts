import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { drain } from '../../test/contract/service.ts'
import { connect } from '../app/connect.ts'
import { serve } from '../app/serve.ts'
import { isPosternError } from '../core/errors.ts'
import { type BareContractOptions, type ContractOptions, contract, isContract } from './contract.ts'
import { event, type Members, method, stream } from './members.ts'

const loosely = contract as (name: unknown, members?: unknown, options?: unknown) => unknown

describe('contract', () => {
  const wrong: readonly [why: string, make: () => unknown, message: RegExp][] = [
    ['no name', () => loosely(undefined, { a: method() }), /name is a word .*, not undefined/],
    ['an empty name', () => contract('', { a: method() }), /name is a word/],
    ['a name that JSON-RPC reserves', () => contract('rpc', { a: method() }), /other than "rpc"/],
    ['a name of two words', () => contract('a b', { a: method() }), /name is a word/],
    ['a name with its separator in it', () => contract('a.b', { a: method() }), /name is a word/],
    ['a name that begins with a digit', () => contract('1a', { a: method() }), /name is a word/],
    ['__proto__ as its name', () => contract('__proto__', { a: method() }), /name is a word/],
    ['a member called then', () => contract('a', { then: method() }), /other than "then"/],
    ['a member with a separator', () => contract('a', { 'b.c': method() }), /member's name is a word/],
    ['a member with an empty name', () => contract('a', { '': method() }), /member's name is a word/],
    [
      'a member that is none',
      () => loosely('a', { b: {} }),
      /a\.b must be made with method\(\), stream\(\) or event\(\)/,
    ],
    ['a member that is a schema', () => loosely('a', { b: z.string() }), /a\.b must be made with method/],
    ['members beside one that is a text', () => loosely('a', { b: method(), c: 'd' }), /a\.c must be made with method/],
    [
      'a wrong separator',
      () => contract('a', { b: method() }, { separator: '-' as '.' }),
      /separator is "\.", "_" or "\/"/,
    ],
    ['an unknown option', () => loosely('a', { b: method() }, { forein: true }), /no option "forein"/],
    ['an unknown option without members', () => loosely('a', { seperator: '_' }), /no option "seperator"/],
    ['options that are none', () => loosely('a', { b: method() }, 5), /takes an object of options/],
  ]
  for (const [why, make, message] of wrong) {
    it(`throws for ${why}`, () => {
      expect(make).toThrow(TypeError)
      expect(make).toThrow(message)
    })
  }

  it('keeps the wire names of subscriptions free, only where there are any', () => {
    for (const name of ['subscribe', 'unsubscribe', 'subscription']) {
      expect(() => contract('a', { [name]: method(), b: stream() })).toThrow(/is the wire name of streams and events/)
      expect(() => contract('a', { [name]: event() })).toThrow(/is the wire name of streams and events/)
      expect(isContract(contract('a', { [name]: method() }))).toBe(true)
    }
  })

  it('cannot be changed afterwards, by itself or by what it was made of', () => {
    const members: Members & Record<string, unknown> = { a: method() }
    const made = contract('a', members)
    Object.assign(members, { b: method() })
    expect(Object.keys(made.members)).toEqual(['a'])
    expect(Object.isFrozen(made) && Object.isFrozen(made.members)).toBe(true)
    expect(Object.isFrozen(contract('a'))).toBe(true)
  })

  it('takes names of members that stand on every object', async () => {
    const odd = contract('odd', {
      constructor: method(),
      toString: method(),
      hasOwnProperty: method(),
      valueOf: stream(),
    })
    const handlers = { constructor: () => 1, toString: () => 2, hasOwnProperty: () => 3, valueOf: () => [4] }
    await serve(odd, handlers as never, { at: 'memory:odd' }).then((server) => onTestFinished(() => server.close()))
    const { api, abort } = await connect('memory:odd', odd).then((connection) => ({
      api: connection.api as unknown as Record<string, () => Promise<unknown>>,
      abort: () => connection.abort(),
    }))
    onTestFinished(abort)
    expect(await api['constructor']?.()).toBe(1)
    expect(await api['toString']?.()).toBe(2)
    expect(await api['hasOwnProperty']?.()).toBe(3)
    const missing = contract('odd', { constructor: method() })
    expect(() => serve(missing, {} as never, { at: 'memory:x' })).toThrow(/no handler was given/)
  })
})

describe('method, stream and event', () => {
  const wrong: readonly [why: string, make: () => unknown, message: RegExp][] = [
    [
      'an unknown option',
      () => method({ param: z.string() } as never),
      /method\(\) has no option "param"; there are access/,
    ],
    ['an option of another kind', () => stream({ returns: z.string() } as never), /stream\(\) has no option "returns"/],
    ['params of an event', () => event({ params: z.string() } as never), /event\(\) has no option "params"/],
    ['no options', () => method(null as never), /method\(\) takes an object of options, not null/],
    ['params that are no schema', () => method({ params: {} as never }), /params must be a Standard Schema/],
    ['a result that is no schema', () => method({ returns: 'string' as never }), /returns must be a Standard Schema/],
    ['items that are no schema', () => stream({ yields: null as never }), /yields must be a Standard Schema/],
    ['a payload that is no schema', () => event({ payload: 5 as never }), /payload must be a Standard Schema/],
    ['an error that is no schema', () => method({ errors: { a: {} as never } }), /errors\.a must be a Standard Schema/],
    [
      'an error left undefined',
      () => method({ errors: { a: undefined as never } }),
      /errors\.a must be a Standard Schema/,
    ],
    ['one of our own codes', () => method({ errors: { closed: null } }), /closed is one of Postern's own errors/],
    ['a code that is no word', () => method({ errors: { 'not-a-word': null } }), /code of a declared error is a word/],
    ['__proto__ as a code', () => method({ errors: { ['__proto__']: null } }), /code of a declared error is a word/],
    ['a list of levels', () => method({ access: ['admin'] as never }), /access of a method is one level, as 'admin'/],
    ['an empty level', () => stream({ access: '' }), /access of a stream is one level/],
  ]
  for (const [why, make, message] of wrong) {
    it(`throws for ${why}`, () => {
      expect(make).toThrow(TypeError)
      expect(make).toThrow(message)
    })
  }
})

describe('a bare contract', () => {
  interface Clock {
    now(): number
    format(params: { zone: string }): Promise<string>
    sum(params: readonly number[]): number
  }
  const handlers = {
    now: () => 5,
    format: async ({ zone }: { zone: string }) => zone,
    sum: (of: readonly number[]) => of.reduce((a, b) => a + b, 0),
  }

  async function opened(options: ContractOptions & BareContractOptions = {}) {
    const clock = contract<Clock>('clock', options)
    const server = await serve(clock, handlers, { at: 'memory:clock' })
    onTestFinished(() => server.close())
    const connection = await connect('memory:clock', clock)
    onTestFinished(() => connection.abort())
    return connection
  }

  it('has any method by its name, and its own handlers', async () => {
    const { api, call } = await opened().then((connection) => ({
      api: connection.api,
      call: connection.call.bind(connection),
    }))
    expect(await api.now()).toBe(5)
    expect(await api.format({ zone: 'UTC' })).toBe('UTC')
    expect(await call('clock.now')).toBe(5)
    expect(api.now).toBe(api.now)
    const unknown: unknown = await (api as unknown as { later: () => Promise<unknown> })
      .later()
      .catch((e: unknown) => e)
    expect(isPosternError(unknown, 'unknown_method')).toBe(true)
  })

  it('takes an array for the positional ones only where it says so', async () => {
    await expect((await opened()).api.sum([1, 2])).rejects.toThrow(/takes one value: put the array in an object/)
  })

  it('takes the array of positional parameters where it says so', async () => {
    const { api } = await opened({ positional: true, separator: '_' })
    expect(await api.sum([1, 2, 3])).toBe(6)
    expect(await api.sum([7])).toBe(7)
  })

  it('has an api that is no promise, and that nothing calls by looking at it', async () => {
    const connection = await opened()
    const { api } = connection
    expect(await api).toBe(api)
    expect(await connection.on).toBe(connection.on)
    const names = [
      'then',
      'toJSON',
      'toString',
      'valueOf',
      'constructor',
      'hasOwnProperty',
      '__proto__',
      'a.b',
      '',
      '1',
    ]
    for (const name of [...names, Symbol.iterator, Symbol.toPrimitive])
      expect((api as unknown as Record<PropertyKey, unknown>)[name]).toBe(undefined)
    expect(JSON.stringify({ api })).toBe('{"api":{}}')
    expect(() => `${api as unknown as string}`).toThrow(TypeError)
    expect(() => Object.assign(api, { now: 1 })).toThrow(TypeError)
    expect(Object.keys(api)).toEqual([])
    expect(Object.keys(connection.on)).toEqual([])
  })

  it('refuses handlers under names that its api would not have', () => {
    for (const name of ['then', 'toJSON', 'toString', 'a.b', '']) {
      const odd = { [name]: () => 1 }
      expect(() => serve(contract('clock'), odd as never, { at: 'memory:x' })).toThrow(/cannot be the name of a method/)
    }
    expect(() => serve(contract('clock'), { now: 5 } as never, { at: 'memory:x' })).toThrow(/must be a function/)
  })
})

describe('a separator', () => {
  for (const separator of ['.', '_', '/'] as const) {
    it(`of ${separator} stands in the names of methods, streams and events`, async () => {
      const shop = contract('shop', { open: method(), goods: stream(), sold: event() }, { separator })
      const server = await serve(shop, { open: () => 'yes', goods: () => [1, 2] }, { at: 'memory:shop' })
      onTestFinished(() => server.close())
      const connection = await connect('memory:shop', shop)
      onTestFinished(() => connection.abort())
      expect(await connection.api.open()).toBe('yes')
      expect(await connection.call(`shop${separator}open`)).toBe('yes')
      expect((await drain(connection.api.goods())).items).toEqual([1, 2])
      expect(await connection.call(`shop${separator}unsubscribe`, ['0x9'])).toBe(false)
      const heard: unknown[] = []
      await connection.on.sold((payload) => heard.push(payload)).ready
      server.emit.sold('all')
      await connection.api.open()
      expect(heard).toEqual(['all'])
    })
  }
})
