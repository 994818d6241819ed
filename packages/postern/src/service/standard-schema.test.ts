import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { checkReceived, checkValue, issueText, jsonSchemaOf, type StandardSchema } from './standard-schema.ts'

const refuse = (issues: Parameters<Parameters<typeof checkValue>[2]>[0]): Error => new RangeError(issueText(issues))
const sent = async (schema: StandardSchema, value: unknown): Promise<unknown> =>
  await checkReceived(schema, value, refuse)

describe('checkReceived', () => {
  const asyncOptional = z
    .string()
    .optional()
    .refine(async () => true)
  const cases: readonly [name: string, schema: StandardSchema, given: unknown, made: unknown][] = [
    ['null where the schema takes it', z.string().nullable(), null, null],
    ['null where the schema takes anything', z.unknown(), null, null],
    ['null as undefined where the schema takes only that', z.string().optional(), null, undefined],
    ['null as nothing at all', z.void(), null, undefined],
    ['null as the default', z.int().default(5), null, 5],
    ['null, also by an async schema', asyncOptional, null, undefined],
    ['null by valibot', v.optional(v.string()), null, undefined],
    ['undefined where the schema takes it', z.string().optional(), undefined, undefined],
    ['undefined as null where the schema takes only that', z.string().nullable(), undefined, null],
    ['any other value as it is', z.int(), 0, 0],
    ['an empty text', z.string().optional(), '', ''],
  ]
  for (const [name, schema, given, made] of cases) {
    it(`gives ${name}`, async () => {
      expect(await sent(schema, given)).toBe(made)
    })
  }

  it('refuses what the schema takes neither way, and says what is wrong with what came', async () => {
    await expect(sent(z.string(), null)).rejects.toThrow('expected string, received null')
    await expect(sent(z.string(), undefined)).rejects.toThrow('expected string, received undefined')
    await expect(sent(z.string(), 5)).rejects.toThrow('expected string, received number')
  })
})

describe('checkValue', () => {
  it('says where each issue lies', () => {
    const schema = z.object({ a: z.array(z.object({ b: z.int() })), c: z.string() })
    expect(() => checkValue(schema, { a: [{ b: 1 }, { b: 'x' }] }, refuse)).toThrow(/^a\.1\.b: .*; c: /)
    const withObjects = v.object({ a: v.object({ b: v.number() }) })
    expect(() => checkValue(withObjects, { a: { b: 'x' } }, refuse)).toThrow(/^a\.b: /)
  })

  it('is at once where the schema is, and a promise where it is not', async () => {
    expect(checkValue(z.int(), 5, refuse)).toBe(5)
    const later = checkValue(
      z.int().refine(async (n) => n > 5, 'too small'),
      5,
      refuse,
    )
    expect(later).toBeInstanceOf(Promise)
    await expect(later).rejects.toThrow('too small')
  })
})

describe('jsonSchemaOf', () => {
  it('is what the library says, or anything where it says nothing', () => {
    expect(jsonSchemaOf(z.object({ a: z.int() }), 'input')).toMatchObject({ type: 'object', required: ['a'] })
    expect(jsonSchemaOf(z.string().transform(Number), 'output')).toEqual({})
    expect(jsonSchemaOf(v.string(), 'input')).toEqual({})
    expect(jsonSchemaOf(undefined, 'input')).toEqual({})
  })
})
