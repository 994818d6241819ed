import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { connect } from '../../src/app/connect.ts'
import { type Server, serve } from '../../src/app/serve.ts'
import { isPosternError } from '../../src/core/errors.ts'
import { contract } from '../../src/service/contract.ts'
import { event, method, stream } from '../../src/service/members.ts'
import { seededRandom } from '../../src/testing/seeded-random.ts'
import { until } from '../../src/testing/until.ts'
import { rawClient } from '../raw-peer.ts'
import { codeOf, drain, harnesses, opened, type ServiceHarness } from './service.ts'

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
        for (const code of codes.keys()) expect(['closed', 'unknown_outcome'], `round ${round}`).toContain(code)
        expect(
          answered.sort((a, b) => a - b),
          `round ${round}`,
        ).toEqual([...ran].sort((a, b) => a - b))
        expect(answered.length + [...codes.values()].reduce((sum, count) => sum + count, 0)).toBe(sent)
      }
    })

    it('lets go of streams and listeners at once, though calls still run', async () => {
      let finished = 0
      let answer: (n: number) => void = () => undefined
      const work = (): Promise<number> =>
        new Promise((resolve) => {
          answer = resolve
        })
      async function* numbers(): AsyncGenerator<number> {
        try {
          for (let n = 0; ; n++) yield n
        } finally {
          finished++
        }
      }
      const { client, server } = await opened(harness, node, { work, numbers })
      const { api, on } = await client()
      const items = api.numbers()
      await items.next()
      await on.joined(() => undefined).ready
      const call = api.work(1)
      await codeOf(api.work('x' as never))
      const closing = server.close()
      await until(() => finished === 1)
      server.emit.joined()
      expect(await codeOf(api.work(2))).toBe('closed')
      expect(await codeOf(api.numbers().ready)).toBe('closed')
      answer(7)
      expect(await call).toBe(7)
      await closing
      const { error } = await drain(items)
      expect(isPosternError(error, 'closed')).toBe(true)
      expect(server.connections).toBe(0)
    })
  })
}

describe('a client that half-closes', () => {
  it('gets the items of its streams until they end, and then the end', async () => {
    const address = await (harnesses[1] as ServiceHarness).address()
    let next: () => void = () => undefined
    async function* numbers(): AsyncGenerator<number> {
      for (let n = 0; n < 3; n++) {
        yield n
        await new Promise<void>((resolve) => {
          next = resolve
        })
      }
    }
    const server: Server<typeof node.members> = await serve(node, { work: (n) => n, numbers }, { at: address })
    onTestFinished(() => server.close())
    const peer = await rawClient(address.slice('unix:'.length))
    peer.send('{"jsonrpc":"2.0","id":1,"method":"node.subscribe","params":["numbers"]}')
    peer.socket.end()
    expect(await peer.value()).toMatchObject({ result: '0x1' })
    for (let n = 0; n < 3; n++) {
      expect(await peer.value()).toMatchObject({ params: { result: n } })
      next()
    }
    expect(await peer.value()).toMatchObject({ params: { done: true } })
    await peer.ended()
    await until(() => server.connections === 0)
  })
})
