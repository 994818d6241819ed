import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { connect, type ConnectOptions } from '../../src/app/connect.ts'
import type { Connection } from '../../src/app/connection.ts'
import { isPosternError } from '../../src/core/errors.ts'
import type { Gap } from '../../src/rpc/subscription.ts'
import { type Contract, contract } from '../../src/service/contract.ts'
import { event, method, stream } from '../../src/service/members.ts'
import { until } from '../../src/testing/until.ts'
import { answerLines, type RawPeer, rawServer } from '../raw-peer.ts'
import { codeOf, drain } from './service.ts'

const members = {
  chainId: method({ returns: z.string().transform((text) => Number(text)) }),
  getBalance: method({ params: z.tuple([z.string(), z.string()]), returns: z.string(), positional: true }),
  slow: method(),
  newHeads: stream({ yields: z.object({ number: z.int() }) }),
  logs: stream({ params: z.object({ address: z.string() }), yields: z.unknown() }),
  syncing: event(),
}
const eth = contract('eth', members, { separator: '_', foreign: true })

interface Call {
  readonly id: number
  readonly method: string
  readonly params?: unknown
}

/** A node: answers what it knows, sends heads to each subscription, and keeps all that it was sent. */
class FakeNode {
  readonly seen: Call[] = []
  readonly peers: RawPeer[] = []
  #path = ''
  #lastId = 0

  get address(): string {
    return `unix:${this.#path}`
  }

  async start(): Promise<this> {
    const { path } = await rawServer((peer) => {
      this.peers.push(peer)
      answerLines(peer, (call) => {
        this.seen.push(call)
        return this.#answer(call)
      })
    })
    this.#path = path
    return this
  }

  send(subscription: string, ...items: readonly unknown[]): void {
    for (const result of items) {
      const params = { subscription, result }
      this.peers.at(-1)?.send(`${JSON.stringify({ jsonrpc: '2.0', method: 'eth_subscription', params })}\n`)
    }
  }

  #answer({ id, method: name }: Call): string | undefined {
    const results: Readonly<Record<string, unknown>> = {
      eth_chainId: '0x1',
      eth_getBalance: '0x5',
      eth_unsubscribe: true,
      eth_subscribe: `0x${++this.#lastId}`,
    }
    const result = results[name]
    return result === undefined ? undefined : `${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`
  }
}

async function connected<C extends Contract>(
  of: C,
  options: ConnectOptions = {},
): Promise<{ node: FakeNode; connection: Connection<C['members']> }> {
  const node = await new FakeNode().start()
  const connection = await connect(node.address, of, options)
  onTestFinished(() => connection.abort())
  return { node, connection: connection as unknown as Connection<C['members']> }
}

describe('a foreign contract', () => {
  it('calls and subscribes in the shapes of its server', async () => {
    const { node, connection } = await connected(eth)
    const { api, on } = connection
    expect(await api.chainId()).toBe(1)
    expect(await api.getBalance(['0xa', 'latest'])).toBe('0x5')
    const heads = api.newHeads()
    await heads.ready
    node.send('0x3', { number: 1 })
    expect(await heads.next()).toEqual({ done: false, value: { number: 1 } })
    await heads.return?.()
    await api.logs({ address: '0xb' }).ready
    await on.syncing(() => undefined).ready
    expect(node.seen.map((call) => [call.method, call.params])).toEqual([
      ['eth_chainId', undefined],
      ['eth_getBalance', ['0xa', 'latest']],
      ['eth_subscribe', ['newHeads']],
      ['eth_unsubscribe', ['0x3']],
      ['eth_subscribe', ['logs', { address: '0xb' }]],
      ['eth_subscribe', ['syncing']],
    ])
  })

  it('sends no rpc.* whatever happens: no credit, no cancel, no ping', async () => {
    const { node, connection } = await connected(eth, { limits: { heartbeatMs: 50, maxBufferedItems: 2_000 } })
    const { api } = connection
    const heads = api.newHeads()
    await heads.ready
    node.send('0x1', ...Array.from({ length: 1_000 }, (_, number) => ({ number })))
    for (let n = 0; n < 1_000; n++) await heads.next()
    const controller = new AbortController()
    const call = api.slow(undefined, { signal: controller.signal })
    await until(() => node.seen.some((seen) => seen.method === 'eth_slow'))
    controller.abort()
    expect(await codeOf(call)).toBe('cancelled')
    expect(await codeOf(api.slow(undefined, { timeoutMs: 200 }))).toBe('deadline_exceeded')
    await connection.close()
    expect(node.seen.filter((seen) => /^(rpc\.|\$)/.test(seen.method))).toEqual([])
  })

  it('is told where items come faster than they are taken, and the subscription ends at the node', async () => {
    const { node, connection } = await connected(eth, { limits: { maxBufferedItems: 10 } })
    const heads = connection.api.newHeads()
    await heads.ready
    node.send('0x1', ...Array.from({ length: 20 }, (_, number) => ({ number })))
    await until(() => node.seen.length === 2)
    expect(node.seen[1]).toMatchObject({ method: 'eth_unsubscribe', params: ['0x1'] })
    const { items, error } = await drain(heads)
    expect(items).toHaveLength(10)
    expect(isPosternError(error, 'limit_exceeded') && error.message).toContain('limits.maxBufferedItems (10)')
  })

  it('takes items that are not what it says for an error, and unsubscribes', async () => {
    const { node, connection } = await connected(eth)
    const heads = connection.api.newHeads()
    await heads.ready
    node.send('0x1', { number: 1 }, { number: 'two' }, { number: 3 })
    const { items, error } = await drain(heads)
    expect(items).toEqual([{ number: 1 }])
    expect(isPosternError(error, 'bad_message') && error.message).toMatch(/an item of eth_newHeads .* number:/)
    await until(() => node.seen.length === 2)
  })

  it('goes on after a reconnect, with its hole told in place, to onGap or to onError', async () => {
    const told: unknown[] = []
    const gaps: Gap[] = []
    const { node, connection } = await connected(eth, {
      onError: (error) => told.push(error),
      limits: { retryMinMs: 1 },
    })
    const { api } = connection
    const withGap = api.newHeads(undefined, { onGap: (gap) => void gaps.push(gap) })
    const without = api.newHeads()
    const [id] = await Promise.all([withGap.ready, without.ready])
    node.send('0x1', { number: 1 })
    node.send('0x2', { number: 1 })
    await withGap.next()
    await without.next()
    const next = [withGap.next(), without.next()]
    node.peers.at(-1)?.socket.destroy()
    await until(() => node.seen.length === 4)
    node.send('0x3', { number: 5 })
    node.send('0x4', { number: 5 })
    const five = { done: false, value: { number: 5 } }
    expect(await Promise.all(next)).toEqual([five, five])
    expect(gaps).toMatchObject([{ subscription: id, received: 1, reason: { code: 'closed' } }])
    expect(told.map(String)).toEqual([expect.stringMatching(/eth_newHeads was interrupted and goes on.*give onGap/)])
  })

  it('is one of a Postern server where the connection says so', async () => {
    const { node, connection } = await connected(contract('eth', members, { separator: '_' }), {})
    await connection.api.newHeads().ready
    expect(node.seen[0]).toMatchObject({ params: ['newHeads', null, { credit: 128 }] })
    const overruled = await connected(eth, { postern: true })
    await overruled.connection.api.newHeads().ready
    expect(overruled.node.seen[0]).toMatchObject({ params: ['newHeads', null, { credit: 128 }] })
    const doubted = await connected(contract('eth', members, { separator: '_' }), { postern: false })
    await doubted.connection.api.newHeads().ready
    expect(doubted.node.seen[0]).toMatchObject({ params: ['newHeads'] })
  })

  it('calls a bare one without rpc.* as well', async () => {
    interface Eth {
      chainId(): string
      getBalance(params: readonly [string, string]): string
    }
    const { node, connection } = await connected(
      contract<Eth>('eth', { separator: '_', foreign: true, positional: true }),
    )
    expect(await connection.api.chainId()).toBe('0x1')
    expect(await connection.api.getBalance(['0xa', 'latest'])).toBe('0x5')
    const never = (connection.api as unknown as { slow: (p: unknown, o: object) => Promise<unknown> }).slow
    expect(await codeOf(never(undefined, { timeoutMs: 50 }))).toBe('deadline_exceeded')
    expect(node.seen.map((call) => call.method)).toEqual(['eth_chainId', 'eth_getBalance', 'eth_slow'])
  })
})
