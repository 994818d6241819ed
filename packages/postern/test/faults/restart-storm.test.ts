import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { defaultLimits } from '../../src/core/limits.ts'
import { seededRandom } from '../../src/testing/seeded-random.ts'
import type { ClientsOrder, ClientsReport } from '../programs/many-clients.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { MortalServer, settled } from './mortal-server.ts'
import { Lives, OrderedChild } from './ordered-child.ts'

/** All clients are back so soon after their server is. */
const backWithinMs = 5_000

const bucketMs = 100

/** No bucket holds more of the attempts, or a server that comes back is met by a storm. */
const largestShare = 0.2

/** How the clients of one server came back to it. */
interface Return {
  readonly downMs: number
  /** When each attempt was made, from the loss on. */
  readonly attemptsMs: readonly number[]
  /** How long after the server the last client was back. */
  readonly slowestMs: number
}

/** How many attempts fell into each bucket. */
function buckets({ attemptsMs }: Return): number[] {
  const counts: number[] = []
  for (const ms of attemptsMs) {
    const bucket = Math.floor(ms / bucketMs)
    while (counts.length <= bucket) counts.push(0)
    counts[bucket] = (counts[bucket] ?? 0) + 1
  }
  return counts
}

const worstShare = (one: Return): number => Math.max(...buckets(one)) / one.attemptsMs.length

function print(one: Return): void {
  const { attemptsMs, downMs, slowestMs } = one
  process.stdout.write(
    `  down ${String(Math.round(downMs)).padStart(4)} ms, last back after ${String(Math.round(slowestMs)).padStart(4)} ms, ` +
      `${attemptsMs.length} attempts, worst bucket ${(100 * worstShare(one)).toFixed(1)} %: ${buckets(one).join(' ')}\n`,
  )
}

function printWorst(title: string, returns: readonly Return[]): void {
  const slowest = Math.max(...returns.map(({ slowestMs }) => slowestMs))
  const share = Math.max(...returns.map(worstShare))
  process.stdout.write(
    `${title}: ${returns.length} restarts, last back after ${Math.round(slowest)} ms at most, worst bucket of ${bucketMs} ms ` +
      `${(100 * share).toFixed(1)} % of the attempts\n`,
  )
}

describe('clients that lose their server in the same moment', () => {
  it('are all back in 5 s, and spread, by the clock of a simulation', { timeout: 120_000 }, async () => {
    const clients = 200
    const restarts = 20
    // One seed, one outcome. Of all seeds one in 700 puts more than a fifth of 200 first attempts into a tenth of their
    // second (P(Binomial(200, 0.1) > 40) = 7.2e-6, 10 buckets, 20 restarts).
    const random = seededRandom(1)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const server = new MortalServer(() => true)
    const backs: number[] = []
    const options = { random: () => random.fraction(), onReconnect: () => backs.push(performance.now()) }
    for (let client = 0; client < clients; client++) await server.client(options)
    const pass = async (ms: number): Promise<void> => {
      for (let passed = 0; passed < ms; passed += 10) {
        vi.advanceTimersByTime(10)
        await new Promise((resolve) => {
          setImmediate(resolve)
        })
      }
    }
    const returns: Return[] = []
    for (let restart = 0; restart < restarts; restart++) {
      const attemptsMs: number[] = []
      // A session that stood for a while begins with the shortest pauses.
      await pass(500)
      const lostMs = performance.now()
      server.onAttempt = () => attemptsMs.push(performance.now() - lostMs)
      backs.length = 0
      server.kill()
      await settled()
      const downMs = random.pick([0, 100, 300, 1_000, 3_000, 10_000])
      await pass(downMs)
      server.start()
      await pass(backWithinMs)
      expect(backs).toHaveLength(clients)
      returns.push({ downMs, attemptsMs, slowestMs: Math.max(...backs) - lostMs - downMs })
    }
    printWorst(`${clients} clients, simulated`, returns)
    for (const one of returns) expect(worstShare(one)).toBeLessThanOrEqual(largestShare)
  })

  it('are all back in 5 s, as processes whose server is killed', { timeout: 600_000 }, async () => {
    // `npm test` does few restarts; POSTERN_STORMS sets how many, and with it the full number of clients.
    const full = process.env['POSTERN_STORMS'] !== undefined
    const restarts = Number(process.env['POSTERN_STORMS'] ?? 2)
    const [processes, each] = full ? [4, 50] : [2, 25]
    const random = seededRandom(Date.now())
    const address = `unix:${await temporaryDirectory()}/s`
    const lives = new Lives('feed-server', { address })
    await lives.begin()
    const children = Array.from({ length: processes }, () => new OrderedChild('many-clients'))
    const tell = (order: ClientsOrder): Promise<unknown[]> => Promise.all(children.map((child) => child.order(order)))
    await tell({ do: 'connect', address, clients: each })
    const nowMs = (): number => performance.timeOrigin + performance.now()
    const returns: Return[] = []
    if (full) process.stdout.write(`${processes * each} clients in ${processes} processes, seed ${random.seed}\n`)
    for (let restart = 0; restart < restarts; restart++) {
      const lostMs = nowMs()
      await lives.kill()
      // It is away for as long as a program takes to start.
      await pause(200 + random.below(300))
      await lives.begin({ last: restart === restarts - 1 })
      const startMs = nowMs()
      const reports = (await tell({ do: 'back' })) as ClientsReport[]
      const attemptsMs = reports.flatMap(({ attempts }) => attempts.map((ms) => ms - lostMs))
      const slowestMs = Math.max(...reports.flatMap(({ backs }) => backs)) - startMs
      const one = { downMs: startMs - lostMs, attemptsMs, slowestMs }
      returns.push(one)
      if (full) print(one)
    }
    printWorst(`${processes * each} clients in ${processes} processes`, returns)
    // A pause is shorter than retryMaxMs and begins while the server is still away, so the bound is passed only by what
    // the machine takes for one connection; a busy one may take a second, where nobody looks at the figures.
    expect(defaultLimits.retryMaxMs).toBeLessThanOrEqual(backWithinMs)
    for (const { slowestMs } of returns)
      expect(slowestMs).toBeLessThanOrEqual(full ? backWithinMs : backWithinMs + 1_000)
    // Fewer clients fall into one bucket by chance (P(Binomial(50, 0.1) > 10) = 0.9 %), and on a busy machine by its
    // stumbling: there the simulation stands for this.
    if (full) for (const one of returns) expect(worstShare(one)).toBeLessThanOrEqual(largestShare)
  })
})
