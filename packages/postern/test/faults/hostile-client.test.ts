import { randomBytes } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connect } from '../../src/app/connect.ts'
import type { ConversationName } from '../../src/app/first-bytes.ts'
import { type PlaceOptions, type ServeOptions, serve } from '../../src/app/serve.ts'
import { isPosternError } from '../../src/core/errors.ts'
import type { Handlers } from '../../src/service/handlers.ts'
import { until } from '../../src/testing/until.ts'
import { rawClient } from '../raw-peer.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

interface Served {
  readonly path: string
  readonly errors: unknown[]
  readonly connections: () => number
}

async function served(
  handlers: Handlers,
  options: Partial<ServeOptions> = {},
  at: Partial<PlaceOptions> = {},
): Promise<Served> {
  const path = `${await temporaryDirectory()}/s`
  const errors: unknown[] = []
  const server = await serve(handlers, {
    at: { address: `unix:${path}`, ...at },
    onError: (error) => errors.push(error),
    ...options,
  })
  onTestFinished(() => server.close())
  return { path, errors, connections: () => server.connections }
}

const echo: Handlers = { echo: (params: unknown) => params ?? null }

/** An independent client still gets its answer. */
async function expectAlive({ path }: Served): Promise<void> {
  const peer = await rawClient(path)
  peer.send('{"jsonrpc":"2.0","id":1,"method":"echo","params":[7]}\n')
  expect(await peer.value()).toEqual({ jsonrpc: '2.0', id: 1, result: 7 })
  peer.socket.destroy()
  expect({}).not.toHaveProperty('polluted')
}

const call = (id: number, method: string, params: unknown = []): string =>
  `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`

describe('a server that is spoken to in another protocol', () => {
  const counting = call(1, 'count')
  const strangers: readonly [name: string, bytes: string | Uint8Array][] = [
    ['HTTP', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['HTTP with a call in its body', `POST / HTTP/1.1\r\nContent-Length: ${counting.length}\r\n\r\n${counting}`],
    ['a TLS hello', Buffer.from('16030100c8010000c40303', 'hex')],
    ['the gRPC preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ["a Cap'n Proto message", Buffer.from('0000000004000000', 'hex')],
    ['Python’s challenge', Buffer.concat([Buffer.from([0, 0, 0, 11]), Buffer.from('#CHALLENGE#')])],
    ['SSH', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['random bytes', Buffer.concat([Buffer.from([0x99]), randomBytes(500)])],
    ['a bare scalar', '17\n'],
    ['a length of 4 GB', Buffer.from('ffffffff7b7d', 'hex')],
  ]
  const known: readonly [name: ConversationName, bytes: string | Uint8Array][] = [
    ['json', counting],
    ['content-length', `Content-Length: ${counting.length}\r\n\r\n${counting}`],
    ['msgpack', Buffer.from([0x94, 0, 1, 0xa5, ...Buffer.from('count'), 0x90])],
    ['length-prefix', Buffer.concat([Buffer.from([0, 0, 0, counting.length]), Buffer.from(counting)])],
  ]

  async function expectRefused(bytes: string | Uint8Array, at: Partial<PlaceOptions> = {}): Promise<void> {
    let dispatched = 0
    const server = await served({ ...echo, count: () => ++dispatched }, {}, at)
    const peer = await rawClient(server.path)
    peer.send(bytes)
    await peer.ended()
    expect(peer.text).toMatch(/^(HTTP\/1\.1 501 [\s\S]*\r\n\r\n)?\[unsupported_protocol\] this address takes [^\n]*\n$/)
    expect(dispatched).toBe(0)
    expect(server.errors).toHaveLength(1)
    expect(isPosternError(server.errors[0], 'unsupported_protocol')).toBe(true)
    if (at.accepts?.includes('json') !== false) await expectAlive(server)
  }

  for (const [name, bytes] of strangers) {
    it(`answers ${name} in plain text and ends`, () => expectRefused(bytes))

    for (const [accepted] of known)
      it(`answers ${name} so too where it accepts ${accepted} alone`, () =>
        expectRefused(bytes, { accepts: [accepted] }))
  }

  for (const [name, bytes] of known) {
    for (const [accepted] of known.filter(([other]) => other !== name))
      it(`answers ${name} in plain text where it accepts ${accepted} alone`, () =>
        expectRefused(bytes, { accepts: [accepted] }))

    it(`takes ${name} where it accepts nothing else`, async () => {
      let dispatched = 0
      const server = await served({ count: () => ++dispatched }, {}, { accepts: [name] })
      const peer = await rawClient(server.path)
      peer.send(bytes)
      await until(() => peer.bytes > 0)
      expect(dispatched).toBe(1)
    })
  }
})

describe('a server before a hostile client', () => {
  it('holds no more than the limit of a frame that never ends, and closes', async () => {
    const server = await served(echo, { limits: { maxCallBytes: 1_000_000 } })
    const peer = await rawClient(server.path)
    peer.send('{"jsonrpc":"2.0","id":1,"method":"echo","params":["')
    const piece = 'x'.repeat(1_000)
    for (let sent = 0; sent < 1_200 && !peer.over; sent++) {
      peer.send(piece)
      if (sent % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await peer.ended()
    expect(JSON.parse(peer.text)).toMatchObject({ id: null, error: { code: -32006 } })
    await expectAlive(server)
  })

  it('cuts a client that begins a frame and dribbles', async () => {
    const server = await served(echo, { limits: { frameProgressMs: 50 } })
    const peer = await rawClient(server.path)
    peer.send('{"jsonrpc":')
    await peer.ended()
    expect(peer.text).toContain('limits.frameProgressMs (50 ms)')
    await expectAlive(server)
  })

  it('takes keys like __proto__ for what they are: keys', async () => {
    const server = await served({
      ...echo,
      merge: (params: unknown) => Object.keys(params as object),
    })
    const peer = await rawClient(server.path)
    peer.send(
      '{"jsonrpc":"2.0","id":1,"method":"merge","params":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}\n',
    )
    expect(await peer.value()).toEqual({ jsonrpc: '2.0', id: 1, result: ['__proto__', 'constructor'] })
    peer.send('{"__proto__":{"method":"echo"},"jsonrpc":"2.0","id":2}\n')
    expect(await peer.value()).toMatchObject({ error: { code: -32600 } })
    await expectAlive(server)
  })

  it('uses one reading of duplicate members for everything', async () => {
    const ran: string[] = []
    const server = await served({ a: () => void ran.push('a'), b: () => void ran.push('b') })
    const peer = await rawClient(server.path)
    peer.send('{"jsonrpc":"2.0","id":1,"id":2,"method":"a","method":"b"}\n')
    expect(await peer.value()).toEqual({ jsonrpc: '2.0', id: 2, result: null })
    expect(ran).toEqual(['b'])
  })

  it('refuses an id that is in use, and answers the first call', async () => {
    let finish: (value: string) => void = () => undefined
    const server = await served({ ...echo, wait: () => new Promise((resolve) => (finish = resolve)) })
    const peer = await rawClient(server.path)
    peer.send(call(1, 'wait'))
    peer.send(call(1, 'echo'))
    expect(await peer.value()).toMatchObject({
      id: null,
      error: { code: -32600, message: expect.stringContaining('already in use') as string },
    })
    finish('done')
    expect(await peer.value()).toEqual({ jsonrpc: '2.0', id: 1, result: 'done' })
  })

  it('runs and holds only so many calls, and refuses the rest as overloaded', async () => {
    let running = 0
    let most = 0
    const release: (() => void)[] = []
    const server = await served(
      {
        wait: async () => {
          most = Math.max(most, ++running)
          await new Promise<void>((resolve) => release.push(resolve))
          running--
          return 'done'
        },
      },
      { limits: { maxRunning: 3, maxWaiting: 4 } },
    )
    const peer = await rawClient(server.path)
    for (let id = 1; id <= 9; id++) peer.send(call(id, 'wait'))
    expect(await peer.value()).toMatchObject({
      id: 8,
      error: { code: -32002, message: expect.stringContaining('limits.maxWaiting (4)') as string },
    })
    expect(await peer.value()).toMatchObject({ id: 9, error: { code: -32002 } })
    const finished: unknown[] = []
    while (finished.length < 7) {
      await until(() => release.length > 0 || peer.bytes > 0)
      for (const each of release.splice(0)) each()
      finished.push(await peer.value())
    }
    expect(most).toBe(3)
  })

  it('reads answers and cancels also while no slot is free', async () => {
    const server = await served(
      {
        ask: async (_params: unknown, ctx) => await ctx.client.call('reply'),
        wait: (_params: unknown, { signal }) =>
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('gone')))),
      },
      { limits: { maxRunning: 1, maxWaiting: 1 } },
    )
    const peer = await rawClient(server.path)
    peer.send(call(1, 'ask'))
    const asked = (await peer.value()) as { id: number }
    peer.send(call(2, 'wait'))
    peer.send(`{"jsonrpc":"2.0","id":${asked.id},"result":"here"}\n`)
    expect(await peer.value()).toEqual({ jsonrpc: '2.0', id: 1, result: 'here' })
    peer.send('{"jsonrpc":"2.0","method":"rpc.cancel","params":{"id":2}}\n')
    expect(await peer.value()).toEqual({ jsonrpc: '2.0', id: 2, error: { code: -32800, message: 'cancelled' } })
  })

  it('cuts a client that does not read, with its reason, and bounds what it held for it', async () => {
    const server = await served(
      { large: () => 'x'.repeat(1_000_000) },
      { limits: { maxQueuedBytes: 2_000_000, stallMs: 100, maxRunning: 8 } },
    )
    const peer = await rawClient(server.path)
    peer.socket.pause()
    for (let id = 0; id < 500; id++) peer.send(call(id, 'large'))
    await until(() => server.connections() === 1)
    await until(() => server.connections() === 0)
    expect(server.errors).toHaveLength(1)
    expect(isPosternError(server.errors[0], 'slow_consumer')).toBe(true)
  })

  it('cuts a client at once that floods with calls it reads no answers to', async () => {
    const server = await served(
      { large: () => 'x'.repeat(100_000) },
      { limits: { maxQueuedBytes: 200_000, maxRunning: 2, maxWaiting: 2 } },
    )
    const peer = await rawClient(server.path)
    peer.socket.pause()
    peer.send(call(0, 'large'))
    await until(() => server.connections() === 1)
    for (let id = 1; id < 2_000; id++) peer.send(call(id, 'large'))
    await until(() => server.connections() === 0)
    expect(isPosternError(server.errors[0], 'slow_consumer')).toBe(true)
  })

  it('answers a client that ends before its answer came', async () => {
    const server = await served({ later: () => new Promise((resolve) => setImmediate(() => resolve('late'))) })
    const peer = await rawClient(server.path)
    peer.send(call(1, 'later'))
    peer.socket.end()
    await peer.ended()
    expect(JSON.parse(peer.text)).toEqual({ jsonrpc: '2.0', id: 1, result: 'late' })
    await until(() => server.connections() === 0)
  })

  it('survives clients that go at any moment', async () => {
    const server = await served(echo)
    for (let round = 0; round < 200; round++) {
      const peer = await rawClient(server.path)
      const text = call(round, 'echo', ['x'.repeat(round * 10)])
      peer.send(text.slice(0, (round * 37) % text.length))
      if (round % 3 === 0) peer.socket.end()
      if (round % 3 === 1) peer.socket.destroy()
      if (round % 3 === 2) setImmediate(() => peer.socket.destroy())
    }
    await expectAlive(server)
    await until(() => server.connections() === 0)
  })
})

describe('a server with handlers that misbehave', () => {
  const cycle: { self?: unknown } = {}
  cycle.self = cycle
  const bad: Record<string, () => unknown> = {
    throwsError: () => {
      throw new Error('secret-marker')
    },
    throwsText: () => {
      // oxlint-disable-next-line only-throw-error -- this is the case
      throw 'secret-marker'
    },
    throwsUndefined: () => {
      // oxlint-disable-next-line only-throw-error -- and so is this
      throw undefined
    },
    rejects: () => Promise.reject(new Error('secret-marker')),
    rejectsLater: async () => {
      await Promise.resolve()
      throw new Error('secret-marker')
    },
    cycle: () => cycle,
    bigint: () => ({ deep: [1n] }),
    nan: () => Number.NaN,
    symbol: () => Symbol('secret-marker'),
    function: () => () => 1,
    map: () => new Map(),
    bytes: () => new Uint8Array(4),
    getter: () => ({
      get boom() {
        throw new Error('secret-marker')
      },
    }),
    toJson: () => ({
      toJSON: () => {
        throw new Error('secret-marker')
      },
    }),
    thenThrows: () => ({
      get then() {
        throw new Error('secret-marker')
      },
    }),
  }
  for (const [name, handler] of Object.entries(bad)) {
    it(`answers internal and goes on when a handler does ${name}`, async () => {
      const server = await served({ ...echo, bad: handler })
      const peer = await rawClient(server.path)
      peer.send(call(1, 'bad'))
      expect(await peer.value()).toEqual({ jsonrpc: '2.0', id: 1, error: { code: -32603, message: 'internal error' } })
      peer.send(call(2, 'echo', [1]))
      expect(await peer.value()).toEqual({ jsonrpc: '2.0', id: 2, result: 1 })
      expect(server.errors).toHaveLength(1)
    })
  }

  it('lets a call whose handler never settles run into the deadline of its caller, and tells the handler', async () => {
    let aborted = false
    const server = await served({
      never: (_params: unknown, { signal }) =>
        new Promise(() => signal.addEventListener('abort', () => (aborted = true))),
    })
    const connection = await connect(`unix:${server.path}`, { postern: true })
    const error: unknown = await connection.call('never', [], { timeoutMs: 30 }).catch((reason: unknown) => reason)
    expect(isPosternError(error, 'deadline_exceeded')).toBe(true)
    await until(() => aborted)
    connection.abort()
  })
})

describe('calls back to the caller', () => {
  for (const calls of [100, 1_000]) {
    it(`all finish with ${calls} in flight`, async () => {
      const server = await served({
        twice: async (n: number, ctx) => 2 * ((await ctx.client.call('increment', [n])) as number),
      })
      const connection = await connect(`unix:${server.path}`, { handlers: { increment: (n: number) => n + 1 } })
      const results = await Promise.all(Array.from({ length: calls }, (_, n) => connection.call('twice', [n])))
      expect(results).toEqual(Array.from({ length: calls }, (_, n) => 2 * (n + 1)))
      await connection.close()
    })
  }
})
