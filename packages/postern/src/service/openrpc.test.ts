import { expect, test } from 'vitest'
import { z } from 'zod'
import { contract } from './contract.ts'
import { method } from './members.ts'
import { describeService } from './openrpc.ts'
import { serviceOfContract } from './routes.ts'

test('describeService gives each param the definitions that it refers to, and no other', () => {
  const jobs = contract('jobs', {
    submit: method({ params: z.object({ name: z.string(), payload: z.json() }) }),
    pair: method({ params: z.tuple([z.int(), z.json()]), positional: true }),
  })
  const described = describeService(serviceOfContract(jobs, { submit: () => null, pair: () => null }))
  const { methods } = described as { methods: { params: { schema: Record<string, unknown> }[] }[] }
  for (const { params } of methods) {
    const [plain, json] = params.map(({ schema }) => schema)
    expect(plain).not.toHaveProperty('definitions')
    expect(json).toEqual({ $ref: '#/definitions/__schema0', definitions: { __schema0: expect.anything() } })
  }
  expect(methods).toHaveLength(2)
})
