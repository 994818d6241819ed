import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { isPosternError } from '../../src/core/errors.ts'
import { contract } from '../../src/service/contract.ts'
import { isDeclaredError } from '../../src/service/declared-error.ts'
import { method } from '../../src/service/members.ts'
import { everyHarness, isText, type Opened, opened, Recorded, type ServiceHarness } from './service.ts'

const bank = contract('bank', {
  transfer: method({
    params: z.string(),
    errors: {
      insufficient_funds: z.object({ missing: z.int() }),
      frozen: null,
      scaled: z.int().transform((n) => n * 10),
      optional: z.string().optional(),
    },
  }),
  other: method({ errors: { frozen: null } }),
  plain: method({ params: z.int().optional() }),
  leaks: method({ params: z.string() }),
  voids: method({ returns: z.void() }),
  maybe: method({ returns: z.string().optional() }),
  nullable: method({ params: z.string().nullable(), returns: z.string().nullable() }),
})
type Handlers = Parameters<typeof opened<typeof bank.members>>[2]

const marker = 'SECRET-4711 /srv/somebody/.ssh'
class OwnError extends Error {
  readonly sql = `select '${marker}'`
}
const leaks: Readonly<Record<string, () => unknown>> = {
  throws: () => {
    throw new Error(marker, { cause: new Error(marker) })
  },
  rejects: async () => {
    await Promise.resolve()
    throw new OwnError(marker)
  },
  text: () => {
    throw marker as unknown as Error
  },
  object: () => {
    throw { message: marker, code: marker, wire: { code: 1, message: marker } } as unknown as Error
  },
  stack: () => {
    throw Object.assign(new Error('x'), { stack: marker, path: marker })
  },
  bigint: () => ({ [marker]: 1n }),
  json: () => ({
    toJSON: () => {
      throw new Error(marker)
    },
  }),
  getter: () => ({
    get a(): never {
      throw new Error(marker)
    },
  }),
}

const handlers: Handlers = {
  transfer: (code, ctx) => {
    const fail = ctx.fail as (code: string, details?: unknown, message?: string) => Error
    if (code === 'insufficient_funds') throw ctx.fail('insufficient_funds', { missing: 12 })
    if (code === 'frozen') throw ctx.fail('frozen', undefined, 'the account is frozen')
    if (code === 'scaled') throw ctx.fail('scaled', 2)
    if (code === 'optional') throw ctx.fail('optional', undefined)
    if (code === 'wrong') throw fail('insufficient_funds', { missing: 'a lot' })
    throw fail(code, { any: 'details' }, 'any text')
  },
  other: (_params, { fail }) => {
    throw fail('frozen')
  },
  plain: (number, { fail }) => {
    throw fail(number ?? 3, '0x08c3', 'execution reverted')
  },
  leaks: (how) => leaks[how]?.(),
  voids: () => undefined,
  maybe: () => undefined,
  nullable: (text) => text,
}

const served = (
  harness: ServiceHarness,
  options: Parameters<typeof opened>[3] = {},
): Promise<Opened<typeof bank.members>> => opened(harness, bank, handlers, options)

const caught = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error)

for (const harness of everyHarness) {
  describe(`an error that the contract declares, over ${harness.name}`, () => {
    it('arrives with its code and its details', async () => {
      const { api } = await (await served(harness)).client()
      const error = await caught(api.transfer('insufficient_funds'))
      if (!isDeclaredError(error, bank.members.transfer, 'insufficient_funds')) throw error
      expect(error.details).toEqual({ missing: 12 })
      expect(error.message).toBe('[insufficient_funds] bank.transfer: insufficient_funds')
      expect(error.retryable).toBe(false)
      expect(isPosternError(error)).toBe(true)
      expect(isDeclaredError(error, bank.members.transfer)).toBe(true)
      expect(isDeclaredError(error, bank.members.transfer, 'frozen')).toBe(false)
      expect(isDeclaredError(error, bank.members.other)).toBe(false)
    })

    it('has the text of its handler, and no details where none are declared', async () => {
      const { api } = await (await served(harness)).client()
      const error = await caught(api.transfer('frozen'))
      if (!isDeclaredError(error, bank.members.transfer, 'frozen')) throw error
      expect(error.message).toBe('[frozen] bank.transfer: the account is frozen')
      expect(error.details).toBe(undefined)
      expect(isDeclaredError(error, bank.members.other, 'frozen')).toBe(true)
    })

    it('has its details checked, and changed, by the schema', async () => {
      const { api } = await (await served(harness)).client()
      expect(await caught(api.transfer('scaled'))).toMatchObject({ code: 'scaled', details: 20 })
      const optional = await caught(api.transfer('optional'))
      expect(isDeclaredError(optional, bank.members.transfer, 'optional')).toBe(true)
      const wrong = await caught(api.transfer('wrong'))
      expect(isPosternError(wrong, 'bad_message') && wrong.message).toMatch(
        /details of bank\.transfer's error insufficient_funds are not what the contract says: missing:/,
      )
    })

    it('that is not declared arrives as remote, with everything that was said', async () => {
      const { client } = await served(harness)
      const { api, call } = await client().then((connection) => ({
        api: connection.api,
        call: connection.call.bind(connection),
      }))
      for (const code of ['no_such_code', 'closed', 'internal', 'constructor', '__proto__', 'toString']) {
        const error = await caught(api.transfer(code))
        expect(isPosternError(error, 'remote') && error.details).toEqual({
          code: -32000,
          message: 'any text',
          data: { code, details: { any: 'details' } },
        })
        expect(isDeclaredError(error, bank.members.transfer)).toBe(false)
      }
      expect(isPosternError(await caught(call('bank.transfer', 'frozen')), 'remote')).toBe(true)
    })

    it('may be a number of the user where none are declared', async () => {
      const { api } = await (await served(harness)).client()
      const error = await caught(api.plain())
      expect(isPosternError(error, 'remote') && error.details).toEqual({
        code: 3,
        message: 'execution reverted',
        data: '0x08c3',
      })
    })
  })

  describe(`any other exception over ${harness.name}`, () => {
    for (const how of Object.keys(leaks)) {
      it(`stays with the server where a handler ${how}`, async () => {
        const tap = new Recorded()
        const { client, told } = await served(harness, { tap })
        const { api } = await client()
        const error = await caught(api.leaks(how))
        expect(isPosternError(error, 'internal') && error.details).toEqual({ code: -32603, message: 'internal error' })
        const out = tap.frames.filter((frame) => frame.startsWith('out '))
        expect(out).toHaveLength(1)
        if (isText(harness))
          expect(out).toEqual(['out {"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"internal error"}}'])
        else expect(out[0]?.length).toBeLessThan('out [1, 1, [-32603, "internal error"], null]'.length)
        expect(told.map(([context]) => context)).toEqual(['bank.leaks'])
      })
    }
  })

  describe(`nothing over ${harness.name}`, () => {
    it('is undefined where the schema takes no null, for the wire has no undefined', async () => {
      const { api } = await (await served(harness)).client()
      expect(await api.voids()).toBe(undefined)
      expect(await api.maybe()).toBe(undefined)
      expect(await api.nullable(null)).toBe(null)
    })
  })
}
