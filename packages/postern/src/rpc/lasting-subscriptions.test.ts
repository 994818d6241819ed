import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MortalServer, settled } from '../../test/faults/mortal-server.ts'
import { isPosternError } from '../core/errors.ts'
import { jsonRpc } from '../protocols/json-rpc.ts'
import { refusal } from './incoming-call.ts'
import type { LastingSession } from './lasting-session.ts'
import type { Feed } from './served-streams.ts'
import { type Gap, Subscription, type SubscriptionRequest } from './subscription.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

const codeOf = async (promise: Promise<unknown>): Promise<unknown> =>
  await promise.then(
    () => 'none',
    (error: unknown) => (isPosternError(error) ? error.code : error),
  )

/** A server of one feed, to which everybody may listen, and of streams that count from a number on. */
class FeedServer extends MortalServer {
  readonly feeds = new Set<Feed>()
  /** The params of each subscription that was asked for. */
  readonly asked: unknown[] = []
  /** Does not answer, as a process that stands still. */
  still = false
  refuses = false

  constructor(limits: ConstructorParameters<typeof MortalServer>[1] = {}) {
    super(({ method, params, host }) => {
      if (this.still) return new Promise(() => undefined)
      if (method !== 'x_subscribe') return true
      this.asked.push(params)
      if (this.refuses) throw refusal('permission_denied', 'not any more')
      return host.streams.listen('x', (feed) => {
        this.feeds.add(feed)
        return () => this.feeds.delete(feed)
      })
    }, limits)
  }

  emit(...items: readonly unknown[]): void {
    for (const result of items) {
      for (const feed of this.feeds) {
        const params = { subscription: feed.id, result }
        feed.send(jsonRpc.write({ kind: 'note', method: 'x_subscription', params }))
      }
    }
  }

  /** Dies after a life that was no failed attempt, comes back, and time passes until its clients are back too. */
  async restart(): Promise<void> {
    await pass(200)
    this.kill()
    await settled()
    this.start()
    await pass(1_000)
  }
}

async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
  await settled()
}

function subscribe(session: LastingSession, request: Partial<SubscriptionRequest> = {}) {
  const gaps: Gap[] = []
  const subscription = new Subscription(session, {
    method: 'x_subscribe',
    params: () => [],
    credit: false,
    restore: 'at once',
    onGap: (gap) => gaps.push(gap),
    ...request,
  })
  return { subscription, gaps }
}

const take = async (subscription: Subscription, count: number): Promise<unknown[]> => {
  const items: unknown[] = []
  for (let left = count; left > 0; left--) items.push((await subscription.next()).value)
  return items
}

describe('a subscription on a LastingSession', () => {
  it('is made again on the next session, under its own id, and its gap lies between the items', async () => {
    const server = new FeedServer()
    const session = await server.client()
    const { subscription, gaps } = subscribe(session)
    const id = await subscription.ready
    for (let life = 1; life <= 3; life++) {
      server.emit(1, 2)
      await settled()
      await server.restart()
      expect(server.feeds.size).toBe(1)
      server.emit(3)
      await settled()
      expect(await take(subscription, 2)).toEqual([1, 2])
      expect(gaps).toHaveLength(life - 1)
      expect(await take(subscription, 1)).toEqual([3])
      expect(gaps).toHaveLength(life)
      expect(gaps.at(-1)).toMatchObject({ subscription: id, received: life * 3 - 1, reason: { code: 'closed' } })
      expect(subscription.id).toBe(id)
    }
  })

  it('tells one gap where the connection was lost several times before it stood again', async () => {
    const server = new FeedServer()
    const session = await server.client()
    const { subscription, gaps } = subscribe(session)
    await subscription.ready
    server.emit(1)
    await settled()
    server.still = true
    for (let death = 0; death < 3; death++) {
      server.drop()
      await pass(5_000)
      expect(session.connected).toBe(true)
    }
    server.still = false
    server.drop()
    await pass(5_000)
    server.emit(2)
    await settled()
    expect(await take(subscription, 2)).toEqual([1, 2])
    expect(gaps).toMatchObject([{ received: 1 }])
  })

  it('is made on the next session when nothing is connected, and has missed nothing', async () => {
    const server = new FeedServer()
    const session = await server.client()
    server.kill()
    await settled()
    const { subscription, gaps } = subscribe(session)
    server.start()
    await pass(1_000)
    expect(await subscription.ready).toBe(subscription.id)
    server.emit(1)
    expect(await take(subscription, 1)).toEqual([1])
    expect(gaps).toEqual([])
    expect(server.asked).toHaveLength(1)
  })

  it('ends after connectMs when nothing is connected for so long, and one that stood does not', async () => {
    const server = new FeedServer({ connectMs: 2_000 })
    const session = await server.client()
    const { subscription: older } = subscribe(session)
    await older.ready
    server.kill()
    await settled()
    const { subscription } = subscribe(session)
    const codes = [subscription.ready, subscription.next()].map(codeOf)
    await pass(2_000)
    expect(await Promise.all(codes)).toEqual(['closed', 'closed'])
    server.start()
    await pass(10_000)
    server.emit(1)
    expect(await take(older, 1)).toEqual([1])
    expect(server.asked).toHaveLength(2)
  })

  it('is made on a later session where the first one broke off before the answer', async () => {
    const server = new FeedServer()
    const session = await server.client()
    server.still = true
    const { subscription, gaps } = subscribe(session)
    await settled()
    server.still = false
    await server.restart()
    expect(await subscription.ready).toBe(subscription.id)
    server.emit(1)
    expect(await take(subscription, 1)).toEqual([1])
    expect(gaps).toEqual([])
  })

  it('ends with what the server says where that does not take it again', async () => {
    const server = new FeedServer()
    const session = await server.client()
    const { subscription } = subscribe(session)
    await subscription.ready
    server.emit(1)
    await settled()
    server.refuses = true
    await server.restart()
    expect(await take(subscription, 1)).toEqual([1])
    expect(await codeOf(subscription.next())).toBe('permission_denied')
    expect(await subscription.next()).toEqual({ done: true, value: undefined })
  })

  it('is not made again when its loop was left, or its signal aborted, in the meantime', async () => {
    const server = new FeedServer()
    const session = await server.client()
    const controller = new AbortController()
    const { subscription: left } = subscribe(session)
    const { subscription: aborted } = subscribe(session, { signal: controller.signal })
    await Promise.all([left.ready, aborted.ready])
    server.kill()
    await settled()
    await left.return()
    controller.abort()
    server.start()
    await pass(1_000)
    expect(server.asked).toHaveLength(2)
    expect(await left.next()).toEqual({ done: true, value: undefined })
    expect(await codeOf(aborted.next())).toBe('cancelled')
  })

  it('throws closed behind its last item where it is not to be made again, or the session ends', async () => {
    const server = new FeedServer()
    const session = await server.client()
    const { subscription: never } = subscribe(session, { restore: 'never' })
    const { subscription: until } = subscribe(session)
    await Promise.all([never.ready, until.ready])
    server.emit(1)
    await settled()
    await server.restart()
    expect(await take(never, 1)).toEqual([1])
    expect(await codeOf(never.next())).toBe('closed')
    const closing = session.close()
    await pass(1_000)
    await closing
    expect(await take(until, 1)).toEqual([1])
    expect(await codeOf(until.next())).toBe('closed')
    const { subscription: later } = subscribe(session)
    expect(await codeOf(later.ready)).toBe('closed')
  })

  it('begins again with new params when all items were taken, where it is restored when drained', async () => {
    const server = new FeedServer()
    const session = await server.client()
    let last = 0
    const params = (_credit: number | undefined, gap: Gap | undefined): unknown =>
      gap === undefined ? ['first'] : [last, gap.received]
    const { subscription, gaps } = subscribe(session, { restore: 'when drained', params })
    await subscription.ready
    server.emit(1, 2, 3)
    await settled()
    await server.restart()
    for (const expected of [1, 2, 3]) {
      expect(server.asked).toEqual([['first']])
      expect(await take(subscription, 1)).toEqual([expected])
      last = expected
    }
    const next = take(subscription, 1)
    await settled()
    expect(server.asked).toEqual([['first'], [3, 3]])
    server.emit(4)
    expect(await next).toEqual([4])
    expect(gaps).toEqual([])
  })

  it('is one of limits.maxSubscriptions, also while nothing is connected', async () => {
    const server = new FeedServer({ maxSubscriptions: 2 })
    const session = await server.client()
    const [first] = [subscribe(session), subscribe(session)]
    await settled()
    server.kill()
    await settled()
    const { subscription: third } = subscribe(session)
    expect(await codeOf(third.ready)).toBe('limit_exceeded')
    await first.subscription.return()
    const { subscription: fourth } = subscribe(session)
    server.start()
    await pass(1_000)
    expect(await fourth.ready).toBe(fourth.id)
    expect(server.feeds.size).toBe(2)
  })
})

describe('the heartbeat of a session with subscriptions', () => {
  it('drops a server that stands still, and one that comes back takes them again', async () => {
    const server = new FeedServer({ heartbeatMs: 100 })
    const lost: unknown[] = []
    const session = await server.client({ onDisconnect: (reason) => lost.push(reason.message) })
    const { subscription, gaps } = subscribe(session)
    await subscription.ready
    await pass(2_000)
    expect(lost).toEqual([])
    server.still = true
    await pass(400)
    expect(lost).toEqual([expect.stringMatching(/no sign of life in three times limits\.heartbeatMs \(100 ms\)/)])
    server.still = false
    await pass(1_000)
    server.emit(1)
    expect(await take(subscription, 1)).toEqual([1])
    expect(gaps).toHaveLength(1)
  })

  it('asks nothing when the last subscription has ended', async () => {
    const server = new FeedServer({ heartbeatMs: 100 })
    const session = await server.client()
    const { subscription } = subscribe(session)
    await subscription.ready
    await subscription.return()
    await pass(200)
    server.still = true
    await pass(2_000)
    expect(session.connected).toBe(true)
  })
})
