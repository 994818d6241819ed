import { describe, expect, it, onTestFinished } from 'vitest'
import { connect, type ConnectOptions } from '../../src/app/connect.ts'
import type { Connection } from '../../src/app/connection.ts'
import { type ServeOptions, type Server, serve } from '../../src/app/serve.ts'
import { isPosternError } from '../../src/core/errors.ts'
import { contract } from '../../src/service/contract.ts'
import { method } from '../../src/service/members.ts'
import type { Handlers } from '../../src/service/handlers.ts'
import { until } from '../../src/testing/until.ts'
import { answerLines, type RawPeer, rawClient, rawServer } from '../raw-peer.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

const call = (id: number, name: string, params: unknown = []): string =>
  `${JSON.stringify({ jsonrpc: '2.0', id, method: name, params })}\n`
const answerTo = (id: number, result: unknown): string => `${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`

async function served(handlers: Handlers, options: Partial<ServeOptions> = {}): Promise<Server & { path: string }> {
  const path = `${await temporaryDirectory()}/s`
  const server = await serve(handlers, { at: `unix:${path}`, ...options })
  onTestFinished(() => server.close())
  return Object.assign(server, { path })
}

async function connected(to: string, options: ConnectOptions = {}): Promise<Connection> {
  const connection = await connect(`unix:${to}`, { reconnect: false, ...options })
  onTestFinished(() => connection.abort())
  return connection
}

async function foreign(serveOne: (peer: RawPeer) => void, options: ConnectOptions = {}): Promise<Connection> {
  const { path } = await rawServer(serveOne)
  return await connected(path, options)
}

const codeOf = async (promise: Promise<unknown>): Promise<unknown> =>
  await promise.then(
    () => 'none',
    (error: unknown) => (isPosternError(error) ? error.code : error),
  )

describe('what is queued', () => {
  it('leaves whole for a client that half-closes and reads late', async () => {
    const server = await served({ large: () => 'x'.repeat(10_000_000) })
    const peer = await rawClient(server.path)
    peer.send(call(1, 'large'))
    peer.socket.end()
    peer.socket.pause()
    await new Promise((resolve) => setTimeout(resolve, 800))
    peer.socket.resume()
    await peer.ended()
    expect(peer.bytes).toBeGreaterThan(10_000_000)
  })

  it('leaves whole when the server closes', async () => {
    const server = await served({ large: () => 'x'.repeat(10_000_000) })
    const connection = await connected(server.path)
    const answer = connection.call('large')
    await until(() => server.connections === 1)
    await connection.call('nothing').catch(() => undefined)
    await server.close()
    expect(await answer).toHaveLength(10_000_000)
  })

  it('becomes full by bytes that are more than characters, and drains all the same', async () => {
    const server = await served({ wide: () => '€'.repeat(8_000_000), one: () => 1 })
    const connection = await connected(server.path)
    const calls = [connection.call('wide'), ...Array.from({ length: 30 }, () => connection.call('one'))]
    const [wide, ...ones] = await Promise.all(calls)
    expect(wide).toHaveLength(8_000_000)
    expect(ones).toEqual(Array(30).fill(1))
    expect(await connection.call('one')).toBe(1)
  })

  it('holds notes too: closing sends them first', async () => {
    let seen = 0
    const server = await served({ note: () => void seen++ })
    const connection = await connected(server.path, { limits: { maxQueuedFrames: 50 } })
    const notes = Array.from({ length: 1_000 }, () => connection.notify('note'))
    await connection.close()
    await Promise.all(notes)
    await until(() => seen === 1_000)
  })
})

describe('closing a server', () => {
  it('ends clients that have not said anything', async () => {
    const server = await served({ a: () => 1 })
    const idle = await connected(server.path)
    await until(() => server.connections === 1)
    await server.close()
    await idle.closed
  })

  it('ends within drainMs also where a client has half-closed under a handler that never settles', async () => {
    const server = await served({ never: () => new Promise(() => undefined) }, { limits: { drainMs: 50 } })
    const peer = await rawClient(server.path)
    peer.send(call(1, 'never'))
    peer.socket.end()
    await until(() => server.connections === 1)
    await server.close()
    expect(server.connections).toBe(0)
  })

  it('is not put off by a client that goes on sending answers', async () => {
    const server = await served({ a: () => 1 }, { limits: { drainMs: 50 } })
    const peer = await rawClient(server.path)
    peer.send(call(1, 'a'))
    await peer.line()
    const chatter = setInterval(() => peer.send(answerTo(99, 0)), 20)
    onTestFinished(() => clearInterval(chatter))
    await server.close()
  })

  it('counts the connections of each address by itself, so that a flood of one leaves the other open', async () => {
    const directory = await temporaryDirectory()
    const at = [`unix:${directory}/a`, `unix:${directory}/b`]
    const errors: unknown[] = []
    const options = { at, limits: { maxConnections: 2 }, onError: (error: unknown) => errors.push(error) }
    const server = await serve({ a: () => 1 }, options)
    onTestFinished(() => server.close())
    const all = await Promise.all(['a', 'a', 'a', 'b'].map((name) => connected(`${directory}/${name}`)))
    await until(() => errors.length === 1)
    const codes = await Promise.all(all.map((connection) => codeOf(connection.call('a'))))
    expect(codes.slice(0, 3).filter((code) => code === 'none')).toHaveLength(2)
    expect(codes[3]).toBe('none')
    expect(isPosternError(errors[0], 'busy')).toBe(true)
  })
})

describe('functions of the user that throw', () => {
  it('reject their own call where onProgress does', async () => {
    const connection = await foreign((peer) =>
      answerLines(peer, ({ id }) => {
        if (id > 1) return answerTo(id, 'fine')
        peer.send(answerTo(id, 'x'.repeat(500)).slice(0, 200))
        return undefined
      }),
    )
    const boom = new Error('boom')
    const onProgress = (): void => {
      throw boom
    }
    expect(await codeOf(connection.call('a', [], { onProgress }))).toBe(boom)
  })

  it('end nothing where onError or a tap does, or a handler throws what has no text', async () => {
    const throwing = (): void => {
      throw new Error('from onError itself')
    }
    const bad = (): never => {
      throw Object.create(null)
    }
    for (const options of [{ onError: throwing }, { tap: { frame: throwing, close: throwing } }, {}]) {
      const server = await served({ bad, fine: () => 1 }, options)
      const connection = await connected(server.path)
      expect(await codeOf(connection.call('bad'))).toBe('internal')
      expect(await connection.call('fine')).toBe(1)
    }
  })

  it('answer once where a thenable resolves twice', async () => {
    const server = await served({ twice: () => ({ then: (done: (value: number) => void) => [1, 2].map(done) }) })
    const peer = await rawClient(server.path)
    peer.send(call(1, 'twice') + call(2, 'nothing'))
    expect(await peer.value()).toMatchObject({ error: { code: -32601 } })
    expect(await peer.value()).toEqual({ jsonrpc: '2.0', id: 1, result: 1 })
  })
})

describe('subscriptions', () => {
  const note = (params: unknown): string => `${JSON.stringify({ jsonrpc: '2.0', method: 'x_subscription', params })}\n`

  it('take an error that is null for none', async () => {
    const item = note({ subscription: 'a', result: 5, error: null })
    const connection = await foreign((peer) => answerLines(peer, ({ id }) => answerTo(id, 'a') + item))
    expect(await connection.subscribe('x_subscribe').next()).toEqual({ done: false, value: 5 })
  })

  it('are refused an id that another one has', async () => {
    const connection = await foreign((peer) => answerLines(peer, ({ id }) => answerTo(id, 'same')))
    const first = connection.subscribe('x_subscribe')
    await first.ready
    expect(await codeOf(connection.subscribe('x_subscribe').ready)).toBe('bad_message')
    connection.abort()
    expect(await codeOf(first.next())).toBe('closed')
  })

  it('are given up at the server also where their signal aborts before the answer', async () => {
    const seen: unknown[] = []
    let answer: () => void = () => undefined
    const connection = await foreign((peer) =>
      answerLines(peer, ({ id, method: name, params }) => {
        seen.push([name, params])
        if (name !== 'x_subscribe') return answerTo(id, true)
        answer = () => peer.send(answerTo(id, 'a'))
        return undefined
      }),
    )
    const controller = new AbortController()
    const subscription = connection.subscribe('x_subscribe', [], { signal: controller.signal })
    await until(() => seen.length === 1)
    controller.abort()
    expect(await codeOf(subscription.ready)).toBe('cancelled')
    answer()
    await until(() => seen.length === 2)
    expect(seen[1]).toEqual(['x_unsubscribe', ['a']])
    expect(await codeOf(connection.subscribe('x_subscribe', [], { signal: AbortSignal.abort() }).ready)).toBe(
      'cancelled',
    )
    expect(seen).toHaveLength(2)
  })
})

describe('messages of every kind', () => {
  it('keep their integers in the answers of a batch and in the data of an error', async () => {
    const connection = await foreign((peer) =>
      answerLines(peer, (message) => {
        if (!Array.isArray(message)) {
          return `{"jsonrpc":"2.0","id":${message.id},"error":{"code":1,"message":"m","data":9007199254740993}}\n`
        }
        const [first, second] = message as { id: number }[]
        return `[{"jsonrpc":"2.0","id":${first?.id},"result":9007199254740993},{"jsonrpc":"2.0","id":${second?.id},"result":1}]\n`
      }),
    )
    expect(await connection.batch([['a'], ['b']])).toEqual([
      { status: 'fulfilled', value: 9007199254740993n },
      { status: 'fulfilled', value: 1 },
    ])
    const error: unknown = await connection.call('c').catch((reason: unknown) => reason)
    expect(isPosternError(error, 'remote') && error.details).toEqual({ code: 1, message: 'm', data: 9007199254740993n })
  })

  it('are cancelled also within a batch, and notes with their connection', async () => {
    const aborted: string[] = []
    const server = await served({
      wait: (_params: unknown, { signal, method: name }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            aborted.push(name)
            reject(new Error('given up'))
          })
        }),
    })
    const peer = await rawClient(server.path)
    peer.send(call(1, 'wait'))
    peer.send('[{"jsonrpc":"2.0","method":"rpc.cancel","params":{"id":1}}]\n')
    expect(await peer.value()).toMatchObject({ id: 1, error: { code: -32800 } })
    peer.send('{"jsonrpc":"2.0","method":"wait"}\n{"jsonrpc":"2.0","id":null,"method":"wait"}\n')
    peer.send(call(2, 'nothing'))
    await peer.line()
    peer.socket.destroy()
    await until(() => aborted.length === 3)
  })

  it('run once each where they stand in a batch, notes too', async () => {
    const ran: unknown[] = []
    const server = await served({ mark: (mark: unknown) => void ran.push(mark) })
    const peer = await rawClient(server.path)
    const note = (mark: number): string => `{"jsonrpc":"2.0","method":"mark","params":[${mark}]}`
    peer.send(`[${note(1)},{"jsonrpc":"2.0","id":7,"method":"mark","params":[2]},${note(3)}]\n`)
    expect(await peer.value()).toEqual([{ jsonrpc: '2.0', id: 7, result: null }])
    peer.send(call(8, 'mark', [4]))
    await peer.line()
    expect(ran.toSorted()).toEqual([1, 2, 3, 4])
  })

  it('say closed, not unknown_outcome, when they come after an abort', async () => {
    const server = await served({ a: () => 1 })
    const connection = await connected(server.path)
    expect(await connection.call('a')).toBe(1)
    connection.abort()
    expect(await codeOf(connection.call('a'))).toBe('closed')
    expect(await codeOf(connection.notify('a'))).toBe('closed')
  })
})

describe('wrong use', () => {
  const clock = contract('clock', { now: method() })

  it('is told in words', async () => {
    expect(() => (serve as (...args: unknown[]) => unknown)(clock, { now: () => 1 })).toThrow(
      /serve\(contract, handlers/,
    )
    await expect(connect('memory:x', null as never)).rejects.toThrow(/takes an object of options, not null/)
    await expect(connect('memory:x', { methods: {} } as never)).rejects.toThrow(/no option "methods"/)
  })
})
