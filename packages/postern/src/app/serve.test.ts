import jsonSchemaMeta from '@json-schema-tools/meta-schema'
import openRpcMeta from '@open-rpc/meta-schema'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { Ajv } from 'ajv'
import * as v from 'valibot'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import { rawClient } from '../../test/raw-peer.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { isPosternError } from '../core/errors.ts'
import { type Contract, contract } from '../service/contract.ts'
import { method } from '../service/members.ts'
import { until } from '../testing/until.ts'
import { connect } from './connect.ts'
import { serve } from './serve.ts'

async function address(): Promise<string> {
  return `unix:${await temporaryDirectory()}/s`
}

/** The same contract with two libraries: what a schema says must not depend on who wrote it. */
const withZod = contract('bank', {
  transfer: method({
    params: z.object({ to: z.string(), amount: z.int().min(1) }),
    returns: z.object({ receipt: z.string() }),
    summary: 'Moves money',
  }),
  add: method({ params: z.tuple([z.int(), z.int()]), returns: z.int(), positional: true }),
  upper: method({ params: z.string().transform((text) => text.toUpperCase()), returns: z.string() }),
  later: method({ params: z.string().refine(async (text) => text !== 'bad', 'must not be bad') }),
  wrong: method({ returns: z.object({ n: z.int() }) }),
  anything: method(),
})
const withValibot = contract('bank', {
  transfer: method({
    params: toStandardJsonSchema(v.object({ to: v.string(), amount: v.pipe(v.number(), v.integer(), v.minValue(1)) })),
    returns: toStandardJsonSchema(v.object({ receipt: v.string() })),
    summary: 'Moves money',
  }),
  add: method({ params: v.tuple([v.number(), v.number()]), returns: v.number(), positional: true }),
  upper: method({
    params: v.pipe(
      v.string(),
      v.transform((text) => text.toUpperCase()),
    ),
    returns: v.string(),
  }),
  later: method({
    params: v.pipeAsync(
      v.string(),
      v.checkAsync(async (text) => text !== 'bad', 'must not be bad'),
    ),
  }),
  wrong: method({ returns: v.object({ n: v.number() }) }),
  anything: method(),
})

const handlers = {
  transfer: ({ to, amount }: { to: string; amount: number }) => ({ receipt: `${amount} to ${to}` }),
  add: ([a, b]: readonly [number, number]) => a + b,
  upper: (text: string) => text,
  later: async (text: string) => text,
  wrong: () => ({ n: 'not a number' as unknown as number }),
  anything: (params: unknown) => params,
}

for (const [name, bank] of [
  ['zod', withZod],
  ['valibot', withValibot as unknown as typeof withZod],
] as const) {
  describe(`serve with a contract of ${name}`, () => {
    const opened = async () => {
      const at = await address()
      const server = await serve(bank, handlers, { at })
      const connection = await connect(at, bank)
      onTestFinished(async () => {
        await connection.close()
        await server.close()
      })
      return connection
    }

    it('calls methods by functions, with named, positional and single params', async () => {
      const { api } = await opened()
      expect(await api.transfer({ to: 'me', amount: 3 })).toEqual({ receipt: '3 to me' })
      expect(await api.add([2, 3])).toBe(5)
      expect(await api.upper('abc')).toBe('ABC')
      expect(await api.later('good')).toBe('good')
      expect(await api.anything({ any: ['thing'] })).toEqual({ any: ['thing'] })
      expect(await api.anything()).toBe(null)
    })

    it('refuses params that the schema does not take, and says which and why', async () => {
      const connection = await opened()
      const error: unknown = await connection.api.transfer({ to: 'me', amount: 0.5 }).catch((reason: unknown) => reason)
      if (!isPosternError(error, 'invalid_params')) throw error
      expect(error.message).toContain('amount:')
      expect(error.details).toMatchObject({
        code: -32602,
        data: { issues: expect.arrayContaining([expect.objectContaining({ path: 'amount' })]) as unknown },
      })
      const late: unknown = await connection.api.later('bad').catch((reason: unknown) => reason)
      expect(isPosternError(late, 'invalid_params') && late.message).toContain('must not be bad')
      const several: unknown = await connection.call('bank.upper', ['a', 'b']).catch((reason: unknown) => reason)
      expect(isPosternError(several, 'invalid_params')).toBe(true)
    })

    it('refuses a result that the schema does not take, at the caller', async () => {
      const { api } = await opened()
      const error: unknown = await api.wrong().catch((reason: unknown) => reason)
      expect(isPosternError(error, 'bad_message') && error.message).toContain('bank.wrong')
    })

    it('refuses an array for a method that takes one value', async () => {
      const { api } = await opened()
      await expect(api.upper(['a'] as unknown as string)).rejects.toThrow(TypeError)
    })

    it('describes itself to a bare Unix socket as a valid OpenRPC document', async () => {
      const at = await address()
      const server = await serve(bank, handlers, { at })
      onTestFinished(() => server.close())
      const peer = await rawClient(at.slice('unix:'.length))
      peer.send('{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}\n')
      const { result } = (await peer.value()) as { result: { methods: { name: string; params: unknown }[] } }
      const ajv = new Ajv({ strict: false, validateFormats: false, validateSchema: false })
      const validate = ajv.addSchema({ ...jsonSchemaMeta }, 'https://meta.json-schema.tools').compile(openRpcMeta)
      expect(validate(result), JSON.stringify(validate.errors)).toBe(true)
      expect(result.methods.map(({ name: each }) => each)).toEqual(Object.keys(handlers).map((key) => `bank.${key}`))
      expect(result.methods[0]).toMatchObject({
        summary: 'Moves money',
        paramStructure: 'by-name',
        params: [
          { name: 'to', required: true, schema: { type: 'string' } },
          { name: 'amount', required: true, schema: { type: 'integer' } },
        ],
      })
    })
  })
}

describe('serve', () => {
  it('serves at several addresses at once, and reports them', async () => {
    const at = [await address(), 'memory:several']
    const server = await serve({ where: () => 'here' }, { at })
    expect(server.addresses).toEqual(at)
    for (const each of at) {
      const connection = await connect(each)
      expect(await connection.call('where')).toBe('here')
      await connection.close()
    }
    await server.close()
  })

  it('holds limits.maxConnections connections, also inside one process', async () => {
    for (const at of [await address(), 'memory:crowded']) {
      const told: unknown[] = []
      const server = await serve({ a: () => 1 }, { at, limits: { maxConnections: 2 }, onError: (e) => told.push(e) })
      onTestFinished(() => server.close())
      const connections = [await connect(at, { reconnect: false }), await connect(at, { reconnect: false })]
      for (const connection of connections) expect(await connection.call('a')).toBe(1)
      const third = await connect(at, { reconnect: false })
      await third.closed
      expect(String(told[0])).toContain('limits.maxConnections (2) are open')
      await connections[0]?.close()
      await until(() => server.connections === 1)
      const fourth = await connect(at, { reconnect: false })
      expect(await fourth.call('a')).toBe(1)
      for (const connection of [...connections, fourth]) await connection.close()
    }
  })

  it('leaves nothing behind when one of its addresses cannot be had', async () => {
    const free = await address()
    const taken = await address()
    const other = await serve({ a: () => 1 }, { at: taken })
    onTestFinished(() => other.close())
    await expect(serve({ a: () => 1 }, { at: [free, taken] })).rejects.toThrow(/address_in_use/)
    await expect(connect(free, { limits: { retries: 0 } })).rejects.toThrow(/no_listener/)
  })

  it('lets running calls finish when it closes, refuses new ones, and ends idle connections', async () => {
    const at = await address()
    let finish: (value: string) => void = () => undefined
    const server = await serve({ wait: () => new Promise((resolve) => (finish = resolve)), quick: () => 1 }, { at })
    const busy = await connect(at, { reconnect: false })
    const idle = await connect(at, { reconnect: false })
    expect(await idle.call('quick')).toBe(1)
    const running = busy.call('wait')
    await busy.call('quick')
    const closing = server.close()
    await idle.closed
    const late: unknown = await busy.call('quick').catch((reason: unknown) => reason)
    expect(isPosternError(late) && late.message).toContain('closing')
    finish('done')
    expect(await running).toBe('done')
    await closing
    expect(await busy.closed).toBe(undefined)
  })

  it('gives up on calls that run longer than drainMs when it closes', async () => {
    const at = await address()
    let runs = 0
    const never = (): Promise<never> => {
      runs++
      return new Promise(() => undefined)
    }
    const server = await serve({ never }, { at, limits: { drainMs: 50 } })
    const connection = await connect(at, { reconnect: false })
    const call: Promise<unknown> = connection.call('never').catch((reason: unknown) => reason)
    await until(() => runs === 1)
    await server.close()
    expect(isPosternError(await call, 'unknown_outcome')).toBe(true)
  })

  it('tells onError of what handlers throw, and stderr of it in one escaped line by default', async () => {
    const lines: string[] = []
    const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => lines.push(String(text)) > 0)
    onTestFinished(() => stderr.mockRestore())
    const server = await serve(
      { bad: () => Promise.reject(new Error('line one\nline \u001b[31mtwo')) },
      { at: 'memory:errors' },
    )
    const connection = await connect('memory:errors')
    await connection.call('bad').catch(() => undefined)
    await connection.close()
    await server.close()
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^postern: bad: Error: line one\\u000aline \\u001b\[31mtwo .*\n$/)
  })

  const wrong: readonly [why: string, make: () => unknown, message: RegExp][] = [
    ['no options', () => serve({ a: () => 1 }, undefined as never), /takes an object of options/],
    ['no address', () => serve({ a: () => 1 }, { at: [] }), /at least one address/],
    ['an unknown option', () => serve({ a: () => 1 }, { at: 'memory:x', adress: 1 } as never), /no option "adress"/],
    [
      'an unknown limit',
      () => serve({ a: () => 1 }, { at: 'memory:x', limits: { maxCalls: 1 } as never }),
      /limits\.maxCalls is not a limit/,
    ],
    [
      'a limit of the wrong kind',
      () => serve({ a: () => 1 }, { at: 'memory:x', limits: { maxRunning: 0.5 } }),
      /limits\.maxRunning must be/,
    ],
    ['a handler that is none', () => serve({ a: 1 as never }, { at: 'memory:x' }), /handler of a must be a function/],
    ['a reserved name', () => serve({ 'rpc.x': () => 1 }, { at: 'memory:x' }), /rpc\.\* is reserved/],
    [
      'a contract that is none',
      () => serve({} as never, handlers as never, { at: 'memory:x' }),
      /one made with contract\(\)/,
    ],
    ['no handlers', () => serve(undefined as never, { at: 'memory:x' }), /handlers is an object of functions/],
    ['a list of handlers', () => serve([] as never, { at: 'memory:x' }), /handlers is an object of functions/],
    ['no handlers of a contract', () => serve(withZod, null as never, { at: 'memory:x' }), /handlers is an object/],
    ['middleware that is none', () => serve({ a: () => 1 }, { at: 'memory:x', use: [5 as never] }), /use is an array/],
    ['a missing handler', () => serve(withZod, {} as never, { at: 'memory:x' }), /no handler was given/],
    [
      'a handler too many',
      () => serve(withZod, { ...handlers, more: () => 1 } as never, { at: 'memory:x' }),
      /does not have/,
    ],
    [
      'a parameter that only a client may give',
      () => serve({ a: () => 1 }, { at: 'memory:x?codec=msgpack' }),
      /not_supported/,
    ],
    ['a scheme that is not built', () => serve({ a: () => 1 }, { at: 'zmq:/tmp/x' }), /not_supported.*unix:/],
  ]
  for (const [why, make, message] of wrong) {
    it(`refuses ${why}`, async () => {
      await expect((async () => make())()).rejects.toThrow(message)
    })
  }
})

describe('contract', () => {
  it('refuses names that would not work', () => {
    expect(() => contract('rpc', {})).toThrow(TypeError)
    expect(() => contract('a b', {})).toThrow(TypeError)
    expect(() => contract('a', { then: method() })).toThrow(/other than "then"/)
    expect(() => contract('a', { 'b.c': method() })).toThrow(TypeError)
    expect(() => contract('a', { b: {} as never })).toThrow(/made with method/)
    expect(() => method({ params: {} as never })).toThrow(/Standard Schema/)
  })

  it('joins names with its separator', async () => {
    const eth: Contract<{ chainId: ReturnType<typeof method> }> = contract(
      'eth',
      { chainId: method() },
      { separator: '_' },
    )
    const server = await serve(eth, { chainId: () => '0x1' }, { at: 'memory:eth' })
    const connection = await connect('memory:eth', eth)
    expect(await connection.call('eth_chainId')).toBe('0x1')
    expect(await connection.api.chainId()).toBe('0x1')
    await connection.close()
    await server.close()
  })

  it('makes an api that is no promise and has nothing but its methods', async () => {
    const server = await serve(withZod, handlers, { at: 'memory:api' })
    const connection = await connect('memory:api', withZod)
    expect(await connection.api).toBe(connection.api)
    expect('constructor' in connection.api).toBe(false)
    await connection.close()
    await server.close()
  })
})
