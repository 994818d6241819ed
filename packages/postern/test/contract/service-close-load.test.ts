import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { connect } from '../../src/app/connect.ts'
import { type Server, serve } from '../../src/app/serve.ts'
import { isPosternError } from '../../src/core/errors.ts'
import { contract } from '../../src/service/contract.ts'
import { event, method, stream } from '../../src/service/members.ts'
import { seededRandom } from '../../src/testing/seeded-random.ts'
import { until } from '../../src/testing/until.ts'
import { codeOf, drain, harnesses, opened } from './service.ts'

const node = contract('node', {
  work: method({ params: z.int(), returns: z.int() }),
  numbers: stream({ yields: z.int() }),
  joined: event(),
})

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

for (const harness of harnesses) {
  describe(`a server that closes under load over ${harness.name}`, () => {
    it('answers what it accepted, refuses the rest with closed, and loses nothing, a hundred times', async () => {
      const address = await harness.address()
      const random = seededRandom(7)
      for (let round = 0; round < 100; round++) {
        const ran = new Set<number>()
        const work = async (n: number): Promise<number> => {
          ran.add(n)
          for (let turns = random.below(4); turns > 0; turns--) await turn()
          return n
        }
        const server = await serve(node, { work, numbers: () => [] }, { at: address })
        const { api, abort } = await connect(address, node, { reconnect: false }).then((connection) => ({
          api: connection.api,
          abort: () => connection.abort(),
        }))
        let sent = 0
        const answered: number[] = []
        const codes = new Map<unknown, number>()
        const ask = async (): Promise<boolean> => {
          try {
            answered.push(await api.work(sent++))
            return true
          } catch (error) {
            const code = isPosternError(error) ? error.code : error
            codes.set(code, (codes.get(code) ?? 0) + 1)
            return false
          }
        }
        const askers = Array.from({ length: 64 }, async () => {
          while (await ask());
        })
        for (let turns = random.below(5); turns > 0; turns--) await turn()
        await server.close()
        await Promise.all(askers)
        abort()
        expect([...codes.keys()], `round ${round}`).toEqual(['closed'])
        expect(
          answered.sort((a, b) => a - b),
          `round ${round}`,
        ).toEqual([...ran].sort((a, b) => a - b))
        expect(answered.length + (codes.get('closed') ?? 0)).toBe(sent)
      }
    })
  })
}
