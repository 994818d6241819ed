import { expect, onTestFinished, test } from 'vitest'
import { connect } from '../../src/app/connect.ts'
import type { PosternError } from '../../src/core/errors.ts'
import type { Gap } from '../../src/rpc/subscription.ts'
import { seededRandom } from '../../src/testing/seeded-random.ts'
import { until } from '../../src/testing/until.ts'
import { feed, type Tick } from '../programs/feed.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { Lives } from './ordered-child.ts'

/** `npm test` does few; POSTERN_RESTARTS sets how many. */
const restarts = Number(process.env['POSTERN_RESTARTS'] ?? 10)
const timeout = 60_000 + restarts * 3_000

/** Comes back at once, however often the server dies: the test is not about pauses. */
const limits = { retryMinMs: 1, retryMaxMs: 20, connectMs: 60_000 }

/** What one subscriber to ticks sees: of which lives, and the gaps between them. */
class Follower {
  readonly gaps: Gap[] = []
  readonly lives: number[] = []
  readonly wrong: string[] = []
  received = 0
  #last: Tick | undefined

  readonly tick = ({ life, count }: Tick): void => {
    this.received++
    if (life !== this.#last?.life) {
      this.lives.push(life)
      if (this.gaps.length !== this.lives.length - 1) this.wrong.push(`life ${this.lives.length} began without a gap`)
    } else if (count !== this.#last.count + 1) this.wrong.push(`tick ${count} came after ${this.#last.count}`)
    this.#last = { life, count }
  }

  readonly gap = (gap: Gap): void => {
    if (gap.received !== this.received) this.wrong.push(`a gap after ${gap.received} of ${this.received} ticks`)
    this.gaps.push(gap)
  }

  /** The ids that its gaps named. */
  get ids(): readonly string[] {
    return [...new Set(this.gaps.map(({ subscription }) => subscription))]
  }
}

test('subscriptions outlive every death of their server: one gap each, and on they go', { timeout }, async () => {
  const random = seededRandom(Date.now())
  const address = `unix:${await temporaryDirectory()}/s`
  const lives = new Lives('feed-server', { address })
  await lives.begin()
  const connection = await connect(address, feed, { limits })
  onTestFinished(() => connection.abort())
  const errors: PosternError[] = []
  const fail = (error: PosternError): unknown => errors.push(error)

  const listener = new Follower()
  await connection.on.tick(listener.tick, { onGap: listener.gap }).ready

  const iterator = new Follower()
  const subscription = connection.subscribe('feed.subscribe', ['tick'], { onGap: iterator.gap })
  const id = await subscription.ready
  const iterate = async (): Promise<void> => {
    for await (const tick of subscription) iterator.tick(tick as Tick)
  }
  iterate().catch(fail)

  let expected = 0
  // Asked again for the same gap where a session breaks off before it is answered: the kernel may still take connections
  // for a process that it is ending.
  const resumed = new Set<Gap>()
  const goOn = (gap: Gap): { from: number } => {
    resumed.add(gap)
    return { from: expected }
  }
  const count = async (): Promise<void> => {
    for await (const number of connection.api.numbers({ from: 0 }, { onGap: goOn })) expect(number).toBe(expected++)
  }
  count().catch(fail)

  for (let restart = 0; restart <= restarts; restart++) {
    const before = expected
    await until(() => listener.lives.length > restart && iterator.lives.length > restart && expected > before, 60_000)
    const atLeast = listener.received + random.below(50)
    await until(() => listener.received >= atLeast)
    expect([errors, listener.wrong, iterator.wrong], `seed ${random.seed}`).toEqual([[], [], []])
    if (restart === restarts) break
    await lives.kill()
    await lives.begin({ last: restart === restarts - 1 })
  }

  process.stdout.write(
    `restarts below subscriptions: ${restarts}; gaps told ${listener.gaps.length} to a listener (of ${listener.received} ticks), ` +
      `${iterator.gaps.length} to a loop, ${resumed.size} to a stream that counted on to ${expected}; nothing lost, nothing twice\n`,
  )
  expect([listener, iterator].map(({ gaps }) => gaps.length)).toEqual([restarts, restarts])
  expect([listener, iterator].map(({ ids }) => ids.length)).toEqual([1, 1])
  expect(iterator.ids).toEqual([id])
  expect(subscription.id).toBe(id)
  expect(resumed.size).toBe(restarts)
  expect(new Set(listener.lives).size).toBe(restarts + 1)
})
