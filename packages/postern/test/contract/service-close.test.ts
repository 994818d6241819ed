import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { type Server, serve } from '../../src/app/serve.ts'
import { isPosternError } from '../../src/core/errors.ts'
import { contract } from '../../src/service/contract.ts'
import { event, method, stream } from '../../src/service/members.ts'
import { until } from '../../src/testing/until.ts'
import { rawClient } from '../raw-peer.ts'
import { codeOf, drain, everyHarness, opened, type ServiceHarness } from './service.ts'

const node = contract('node', {
  work: method({ params: z.int(), returns: z.int() }),
  numbers: stream({ yields: z.int() }),
  joined: event(),
})

for (const harness of everyHarness) {
  describe(`a server that closes over ${harness.name}`, () => {
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

    it('is not held up by a stream, or a listener, whose call was still on its way through the middleware', async () => {
      let finished = 0
      let pass: () => void = () => undefined
      async function* numbers(): AsyncGenerator<number> {
        try {
          for (let n = 0; ; n++) yield n
        } finally {
          finished++
        }
      }
      const waiting: Promise<void>[] = []
      const gate = new Promise<void>((resolve) => {
        pass = resolve
      })
      const { client, server } = await opened(
        harness,
        node,
        { work: (n) => n, numbers },
        {
          limits: { drainMs: 20_000 },
          use: [
            async (call, next) => {
              if (call.kind !== 'method') {
                waiting.push(gate)
                await gate
              }
              return next(call)
            },
          ],
        },
      )
      const { api, on } = await client()
      const codes = [codeOf(api.numbers().ready), codeOf(on.joined(() => undefined).ready)]
      await until(() => waiting.length === 2)
      const closing = server.close()
      while ((await codeOf(api.work(1))) === 'none');
      pass()
      await closing
      await Promise.all(codes)
      expect(finished).toBe(0)
    })
  })
}

describe('a client that half-closes', () => {
  it('gets the items of its streams until they end, and then the end', async () => {
    const address = await (everyHarness[1] as ServiceHarness).address()
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
