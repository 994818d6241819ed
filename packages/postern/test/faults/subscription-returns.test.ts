import { expect, it, onTestFinished, vi } from 'vitest'
import { connect } from '../../src/app/connect.ts'
import { serve } from '../../src/app/serve.ts'
import { contract } from '../../src/service/contract.ts'
import { event, method, stream } from '../../src/service/members.ts'
import { closingError } from '../../src/protocols/json-rpc-codes.ts'
import { Refusal } from '../../src/rpc/incoming-call.ts'
import { Subscription } from '../../src/rpc/subscription.ts'
import { MortalServer, settled } from './mortal-server.ts'

const pass = async (ms: number): Promise<void> => {
  await vi.advanceTimersByTimeAsync(ms)
  await settled()
}

function fake(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
}

it('a stream with credit does not overflow a client whose maxBufferedItems is below the window', async () => {
  const numbers = contract('numbers', { up: stream() })
  const server = await serve(
    numbers,
    {
      *up() {
        for (let n = 0; n < 1_000; n++) yield n
      },
    },
    { at: 'memory:d1' },
  )
  onTestFinished(() => server.close())
  const connection = await connect('memory:d1', numbers, { limits: { maxBufferedItems: 50 } })
  onTestFinished(() => connection.abort())
  const up = connection.api.up()
  await up.ready
  await settled()
  let count = 0
  for await (const _item of up) count++
  expect(count).toBe(1_000)
})

it('a subscription that stood outlives a server that answers nothing for callMs', async () => {
  fake()
  let still = false
  const server = new MortalServer(
    ({ host }) => (still ? new Promise(() => undefined) : host.streams.listen('x', () => () => undefined)),
    { callMs: 30_000, heartbeatMs: 15_000 },
  )
  const session = await server.client()
  const subscription = new Subscription(session, {
    method: 'x_subscribe',
    params: () => [],
    credit: false,
    restore: 'at once',
  })
  await subscription.ready
  const next = subscription.next().then(String, String)
  still = true
  server.drop()
  await pass(35_000)
  still = false
  server.drop()
  await pass(40_000)
  expect(await Promise.race([next, 'still waits'])).toBe('still waits')
})

it('a subscription refused by a closing server is made on the next one, as a call is', async () => {
  fake()
  let closing = true
  const server = new MortalServer(({ host }) => {
    if (closing) throw new Refusal(closingError)
    return host.streams.listen('x', () => () => undefined)
  })
  const session = await server.client()
  const subscription = new Subscription(session, {
    method: 'x_subscribe',
    params: () => [],
    credit: false,
    restore: 'at once',
  })
  const ready = subscription.ready.then(String, String)
  await settled()
  closing = false
  server.drop()
  await pass(2_000)
  expect(await ready).toBe(subscription.id)
})

it('close() of a client that listens does not take the 500 ms of lingerMs', async () => {
  const news = contract('news', { flash: event(), ping: method() })
  const server = await serve(news, { ping: () => 1 }, { at: 'memory:d4' })
  onTestFinished(() => server.close())
  const connection = await connect('memory:d4', news)
  await connection.on.flash(() => undefined).ready
  const start = performance.now()
  await connection.close()
  expect(performance.now() - start).toBeLessThan(400)
})
