import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { startProgram } from '../../test/child.ts'
import { codeOf, drain } from '../../test/contract/service.ts'
import { answerLines, type RawPeer, rawServer } from '../../test/raw-peer.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { isPosternError, PosternError } from '../core/errors.ts'
import type { Gap } from '../rpc/subscription.ts'
import { contract } from '../service/contract.ts'
import { event, method, stream } from '../service/members.ts'
import { until } from '../testing/until.ts'
import { connect, type ConnectOptions } from './connect.ts'
import type { Connection } from './connection.ts'
import { type ServeOptions, type Server, serve } from './serve.ts'

const node = contract('node', {
  life: method({ returns: z.int() }),
  askBack: method(),
  blocks: stream({ params: z.object({ from: z.int() }), yields: z.int() }),
  joined: event({ payload: z.string() }),
})
const screen = contract('screen', { name: method({ returns: z.string() }) })
type Node = typeof node.members

/** A server that is closed and started again under its name. */
class Restarted {
  server: Server<Node> | undefined
  lives = 0
  readonly #at: ServeOptions['at']

  constructor(at: ServeOptions['at']) {
    this.#at = at
  }

  async start(): Promise<void> {
    const life = ++this.lives
    this.server = await serve(
      node,
      {
        life: () => life,
        askBack: (_params, { client }) => client.api.name(),
        async *blocks({ from }) {
          for (let n = from; ; n++) yield n
        },
      },
      { at: this.#at, client: screen },
    )
  }

  async stop(): Promise<void> {
    await this.server?.close()
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }
}

interface Opened {
  readonly restarted: Restarted
  readonly address: string
  readonly told: unknown[]
  readonly news: string[]
  readonly client: (options?: ConnectOptions) => Promise<Connection<Node>>
}

async function opened(place: Partial<Exclude<ServeOptions['at'], string>> = {}): Promise<Opened> {
  const address = `unix:${await temporaryDirectory()}/s`
  const restarted = new Restarted({ address, ...place } as ServeOptions['at'])
  await restarted.start()
  onTestFinished(() => restarted.stop())
  const told: unknown[] = []
  const news: string[] = []
  const client = async (options: ConnectOptions = {}): Promise<Connection<Node>> => {
    const connection = await connect(address, node, {
      onError: (error) => told.push(error),
      onDisconnect: (reason) => news.push(`lost: ${reason.code}`),
      onReconnect: () => news.push('back'),
      ...options,
      limits: { retryMinMs: 1, ...options.limits },
    })
    onTestFinished(() => connection.abort())
    return connection
  }
  return { restarted, address, told, news, client }
}

const backAgain = ({ connected }: Connection<Node>): boolean => connected

describe('a connection whose server is restarted', () => {
  it('goes on: calls that come meanwhile wait, and the user is told of both', async () => {
    const { client, news, restarted } = await opened()
    const connection = await client()
    for (let life = 1; life <= 5; life++) {
      expect(await connection.api.life()).toBe(life)
      await restarted.stop()
      await until(() => !backAgain(connection))
      const [call, batch] = [connection.api.life(), connection.batch([['node.life'], ['rpc.ping']])]
      const note = connection.notify('node.life')
      await restarted.start()
      expect(await call).toBe(life + 1)
      expect((await batch).map((outcome) => outcome.status === 'fulfilled' && outcome.value)).toEqual([
        life + 1,
        'pong',
      ])
      await note
    }
    expect(news).toEqual(Array(5).fill(['lost: closed', 'back']).flat())
  })

  it('reads a stream on where it broke off: no item twice, none missing', async () => {
    const { client, restarted } = await opened()
    const connection = await client()
    const gaps: Gap[] = []
    let next = 7
    const onGap = (gap: Gap): { from: number } => {
      gaps.push(gap)
      return { from: next }
    }
    const items = connection.api.blocks({ from: next }, { onGap })
    const id = await items.ready
    for await (const n of items) {
      expect(n).toBe(next++)
      if (next % 500 === 0) await restarted.restart()
      if (next === 2_600) break
    }
    expect(restarted.lives).toBe(6)
    expect(gaps).toHaveLength(5)
    for (const { reason, subscription } of gaps) expect([reason.code, subscription]).toEqual(['closed', id])
    expect(gaps.every(({ received }, index) => received >= 500 * index)).toBe(true)
  })

  it('counts in a gap what had arrived, which is where to go on for who takes all of it', async () => {
    const { client, restarted } = await opened()
    const connection = await client()
    const items = connection.api.blocks({ from: 0 }, { onGap: ({ received }) => ({ from: received }) })
    for (let next = 0; next < 1_000; next++) {
      if (next === 300 || next === 700) await restarted.restart()
      expect(await items.next()).toEqual({ done: false, value: next })
    }
  })

  it('begins a stream anew with the same params where onGap gives none', async () => {
    const { client, restarted } = await opened()
    const connection = await client({ limits: { maxBufferedItems: 1 } })
    const items = connection.api.blocks({ from: 5 }, { onGap: () => undefined })
    expect(await items.next()).toEqual({ done: false, value: 5 })
    await restarted.restart()
    // What had arrived before the loss still comes.
    const taken = [(await items.next()).value, (await items.next()).value, (await items.next()).value]
    expect(taken.slice(taken.lastIndexOf(5))).toEqual([5, 6, 7].slice(0, 3 - taken.lastIndexOf(5)))
    expect(taken).toContain(5)
  })

  it('throws closed behind the last item of a stream without onGap, and what onGap throws', async () => {
    const { client, restarted } = await opened()
    const connection = await client()
    const plain = connection.api.blocks({ from: 0 })
    const throwing = connection.api.blocks(
      { from: 0 },
      {
        onGap: () => {
          throw new RangeError('from onGap')
        },
      },
    )
    await Promise.all([plain.next(), throwing.next()])
    await restarted.restart()
    const first = await drain(plain)
    expect(first.items).toEqual(Array.from(first.items, (_, index) => index + 1))
    expect(isPosternError(first.error, 'closed')).toBe(true)
    expect((await drain(throwing)).error).toEqual(new RangeError('from onGap'))
    expect(await connection.api.life()).toBe(2)
  })

  it('listens on: the gap is told to onGap, or to onError where nobody asked', async () => {
    const { client, restarted, told } = await opened()
    const connection = await client()
    const heard: string[] = []
    const gaps: Gap[] = []
    const first = connection.on.joined((name) => heard.push(`first ${name}`), { onGap: (gap) => gaps.push(gap) })
    const second = connection.on.joined((name) => heard.push(`second ${name}`))
    const [id] = await Promise.all([first.ready, second.ready])
    restarted.server?.emit.joined('a')
    await connection.api.life()
    await restarted.restart()
    await until(() => gaps.length === 1 && told.length === 1)
    restarted.server?.emit.joined('b')
    await connection.api.life()
    expect(heard).toEqual(['first a', 'second a', 'first b', 'second b'])
    expect(gaps).toMatchObject([{ subscription: id, received: 1 }])
    expect(String(told[0])).toMatch(/node\.joined was interrupted and goes on.*give onGap to handle it/)
    first.stop()
    await restarted.restart()
    await until(() => told.length === 2)
    restarted.server?.emit.joined('c')
    await connection.api.life()
    expect(heard.slice(4)).toEqual(['second c'])
    expect(gaps).toHaveLength(1)
  })

  it('serves the next server as it did the last', async () => {
    const { client, restarted } = await opened()
    const connection = await client({ serve: [screen, { name: () => 'alice' }] } as ConnectOptions)
    expect(await connection.api.askBack()).toBe('alice')
    await restarted.restart()
    expect(await connection.api.askBack()).toBe('alice')
  })

  it('shows its token again', async () => {
    const file = `${await temporaryDirectory()}/token`
    const { client, restarted, news } = await opened({ token: { file } })
    const connection = await client({ token: { file } })
    expect(await connection.api.life()).toBe(1)
    await restarted.restart()
    expect(await connection.api.life()).toBe(2)
    expect(news).toEqual(['lost: closed', 'back'])
  })
})

describe('a connection that is lost in the middle of a call', () => {
  const bank = contract('bank', { transfer: method(), balance: method({ idempotent: true }) })

  /** A server whose first connection breaks off at each call. */
  async function breaking(): Promise<Connection<typeof bank.members>> {
    const { path } = await rawServer((peer: RawPeer, connection) =>
      answerLines(peer, ({ id }) => {
        if (connection > 1) return `${JSON.stringify({ jsonrpc: '2.0', id, result: connection })}\n`
        peer.socket.destroy()
        return undefined
      }),
    )
    const connection = await connect(`unix:${path}`, bank, { limits: { retryMinMs: 1 } })
    onTestFinished(() => connection.abort())
    return connection
  }

  it('repeats one that the contract calls idempotent, and tells of any other that it may have run', async () => {
    expect(await (await breaking()).api.balance()).toBe(2)
    const connection = await breaking()
    const error: unknown = await connection.api.transfer().catch((reason: unknown) => reason)
    expect(isPosternError(error, 'unknown_outcome') && error.message).toContain('it may have run')
    expect(await connection.api.transfer()).toBe(2)
  })

  it('repeats one whose caller says so', async () => {
    expect(await (await breaking()).call('bank.transfer', [], { idempotent: true })).toBe(2)
  })
})

describe('a connection whose server does not come back', () => {
  it('lets calls wait for limits.connectMs, and says why nothing came', async () => {
    const { client, restarted } = await opened()
    const connection = await client({ limits: { connectMs: 300 } })
    await restarted.stop()
    await until(() => !backAgain(connection))
    const error: unknown = await connection.api.life().catch((reason: unknown) => reason)
    expect(isPosternError(error, 'closed') && error.message).toMatch(
      /node\.life: no connection to unix:.* came back within 300 ms: .*nothing is at/,
    )
    expect(await codeOf(connection.api.life(undefined, { timeoutMs: 50 }))).toBe('closed')
  })

  it('lets go of a call whose signal aborts', async () => {
    const { client, restarted } = await opened()
    const connection = await client()
    await restarted.stop()
    await until(() => !backAgain(connection))
    const controller = new AbortController()
    const call = connection.api.life(undefined, { signal: controller.signal })
    const items = connection.api.blocks({ from: 0 }, { signal: controller.signal })
    controller.abort()
    expect(await codeOf(call)).toBe('cancelled')
    expect(await codeOf(items.next())).toBe('cancelled')
  })

  it('is over when it is closed or dropped, with all that waits for it', async () => {
    const { client, restarted } = await opened()
    const [closed, dropped, given] = [await client(), await client(), await client()]
    const listening = [closed, dropped, given].map(({ api }) => api.blocks({ from: 0 }, { onGap: () => undefined }))
    await Promise.all(listening.map((items) => items.ready))
    await restarted.stop()
    await until(() => ![closed, dropped, given].some(backAgain))
    const calls = [closed, dropped, given].map(({ api }) => codeOf(api.life()))
    const over = [closed, dropped, given].map((connection) => connection.closed)
    await closed.close()
    dropped.abort()
    given.abort(new PosternError('cancelled', 'enough of it'))
    expect(await Promise.all(calls)).toEqual(['closed', 'closed', 'closed'])
    for (const items of listening) expect(isPosternError((await drain(items)).error, 'closed')).toBe(true)
    const [first, second, third] = await Promise.all(over)
    expect(first).toBe(undefined)
    expect(second?.code).toBe('closed')
    expect(third?.message).toContain('enough of it')
    for (const connection of [closed, dropped]) {
      expect(await codeOf(connection.api.life())).toBe('closed')
      await connection.close()
    }
  })

  it('is over at once where it is not to be made again', async () => {
    const { client, news, restarted } = await opened()
    const connection = await client({ reconnect: false })
    const items = connection.api.blocks({ from: 0 }, { onGap: () => undefined })
    await items.ready
    await restarted.restart()
    expect(await connection.closed).toBe(undefined)
    expect(isPosternError((await drain(items)).error, 'closed')).toBe(true)
    expect(await codeOf(connection.api.life())).toBe('closed')
    expect(news).toEqual([])
  })
})

describe('a program', () => {
  for (const way of ['close', 'abort', 'closeWhileLost', 'abortWhileLost']) {
    it(`ends by itself after ${way}, whatever its connection held`, async () => {
      const address = `unix:${await temporaryDirectory()}/s`
      async function* numbers(): AsyncGenerator<number> {
        for (let n = 0; ; n++) yield n
      }
      const held = contract('node', { ping: method(), numbers: stream(), joined: event() })
      const server = await serve(held, { ping: () => 'pong', numbers }, { at: address })
      onTestFinished(() => server.close())
      const child = await startProgram('closing-client', address, way)
      if (way.endsWith('Lost')) await server.close()
      expect([await child.ended, child.stderr()]).toEqual([0, ''])
    })
  }
})
