import { describe, expect, it, onTestFinished } from 'vitest'
import { type ConnectOptions, connect } from '../../src/app/connect.ts'
import type { Connection } from '../../src/app/connection.ts'
import { type Server, serve } from '../../src/app/serve.ts'
import { isPosternError } from '../../src/core/errors.ts'
import type { CallContext } from '../../src/rpc/incoming-call.ts'
import { contract } from '../../src/service/contract.ts'
import { event, method } from '../../src/service/members.ts'
import { until } from '../../src/testing/until.ts'
import { rawServer } from '../raw-peer.ts'

const news = contract('news', { flash: event(), now: method() })

async function newsServer(at: string): Promise<Server<typeof news.members>> {
  const server = await serve(news, { now: () => 1 }, { at, limits: { drainMs: 50 } })
  onTestFinished(() => server.close())
  return server
}

async function newsReader(at: string, options: ConnectOptions = {}): Promise<Connection<typeof news.members>> {
  const limits = { retryMinMs: 1, ...options.limits }
  const connection = await connect(at, news, { onError: () => undefined, ...options, limits })
  onTestFinished(() => connection.abort())
  return connection as Connection<typeof news.members>
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: unknown) => (isPosternError(error) ? error.code : (error as Error).name),
  )

describe('an error number of ours that a handler uses itself', () => {
  it('is an answer: nothing is run again, and the connection goes on', async () => {
    let runs = 0
    const refuse = (_: unknown, ctx: CallContext): never => {
      runs++
      throw ctx.fail(-32005, undefined, 'limit exceeded')
    }
    const server = await serve({ refuse, fine: () => 'fine' }, { at: 'memory:own-number' })
    onTestFinished(() => server.close())
    const connection = await connect('memory:own-number', { postern: true })
    onTestFinished(() => connection.abort())
    expect(await codeOf(connection.call('refuse'))).toBe('closed')
    expect(runs).toBe(1)
    expect(await connection.call('fine')).toBe('fine')
  })
})

describe('a connection whose server is away', () => {
  it('binds a listener that is added in onReconnect once', async () => {
    const at = 'memory:once'
    const first = await newsServer(at)
    const heard: unknown[] = []
    let back = false
    const connection: Connection<typeof news.members> = await newsReader(at, {
      onReconnect: () => {
        connection.on
          .flash((payload) => heard.push(payload))
          .ready.then(
            () => (back = true),
            () => undefined,
          )
      },
    })
    await first.close()
    const second = await newsServer(at)
    await until(() => back)
    second.emit.flash('late')
    await connection.call('news.now')
    expect(heard).toEqual(['late'])
  })

  it('rejects wrong use, as while it is there', async () => {
    const at = 'memory:wrong'
    const server = await newsServer(at)
    const connection = await newsReader(at)
    await server.close()
    await until(() => !connection.connected)
    const call = codeOf(connection.call(''))
    await newsServer(at)
    expect(await call).toBe('TypeError')
  })

  it('keeps a listener that was added meanwhile, and tells who waits for it that it is late', async () => {
    const at = 'memory:patient'
    const first = await newsServer(at)
    const connection = await newsReader(at, { limits: { connectMs: 30 } })
    await first.close()
    await until(() => !connection.connected)
    const heard: unknown[] = []
    const listening = connection.on.flash((payload) => heard.push(payload))
    expect(await codeOf(listening.ready)).toBe('closed')
    const second = await newsServer(at)
    await until(() => {
      second.emit.flash('after all')
      return heard.length > 0
    })
  })

  it('ends what it subscribed to when it is aborted', async () => {
    const at = 'memory:given-up'
    const server = await newsServer(at)
    const connection = await newsReader(at)
    const flashes = connection.subscribe('news.subscribe', ['flash'])
    await flashes.ready
    await server.close()
    await until(() => !connection.connected)
    const next = codeOf(flashes.next())
    connection.abort()
    expect(await next).toBe('closed')
    await connection.closed
  })
})

describe('closing', () => {
  it('can be hastened by abort, and a second close waits for the end as the first does', async () => {
    const server = await serve({ never: () => new Promise(() => undefined) }, { at: 'memory:hasty' })
    onTestFinished(() => server.close())
    const connection = await connect('memory:hasty', { limits: { drainMs: 60_000 } })
    const call = codeOf(connection.call('never'))
    const ended: string[] = []
    const closes = ['first', 'second'].map((name) => connection.close().then(() => ended.push(name)))
    await new Promise((resolve) => setImmediate(resolve))
    expect(ended).toEqual([])
    connection.abort()
    await Promise.all(closes)
    expect(['closed', 'unknown_outcome']).toContain(await call)
  }, 10_000)

  it('gives a handler of its own the time of a close when the server has ended', async () => {
    let called = false
    const { path } = await rawServer((peer) => {
      peer.send('{"jsonrpc":"2.0","id":1,"method":"stay"}\n')
      peer.socket.end()
    })
    const connection = await connect(`unix:${path}`, {
      reconnect: false,
      limits: { drainMs: 50 },
      handlers: {
        stay: () => {
          called = true
          return new Promise(() => undefined)
        },
      },
    })
    await connection.closed
    expect(called).toBe(true)
  })
})
