import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { connect, type ConnectOptions } from '../../src/app/connect.ts'
import type { Connection } from '../../src/app/connection.ts'
import { serve } from '../../src/app/serve.ts'
import { isPosternError } from '../../src/core/errors.ts'
import type { Limits } from '../../src/core/limits.ts'
import type { Gap } from '../../src/rpc/subscription.ts'
import { until } from '../../src/testing/until.ts'
import { feed } from '../programs/feed.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { Lives } from './ordered-child.ts'

type Feed = Connection<(typeof feed)['members']>

const codeOf = async (promise: Promise<unknown>): Promise<unknown> =>
  await promise.then(
    () => 'none',
    (error: unknown) => (isPosternError(error) ? error.code : error),
  )

/** Comes back at once: these tests are not about pauses. */
const soon: Partial<Limits> = { retryMinMs: 1, retryMaxMs: 20, connectMs: 60_000 }

/** Long enough for a server process on a busy machine to be heard of in three times as much, short enough to wait for. */
const heartbeatMs = 300

interface Loss {
  readonly message: string
  /** How many questions the heartbeat had asked in vain. */
  readonly asked: number
}

interface Listening {
  readonly lives: Lives
  readonly connection: Feed
  readonly lost: Loss[]
  readonly gaps: Gap[]
  readonly ticks: () => number
}

/** A server process that ticks all the time, and a client that listens to it. */
async function listening(options: ConnectOptions = {}): Promise<Listening> {
  const address = `unix:${await temporaryDirectory()}/s`
  const lives = new Lives('feed-server', { address })
  await lives.begin({ last: true })
  const lost: Loss[] = []
  const gaps: Gap[] = []
  let asked = 0
  let ticks = 0
  const frame = (direction: 'in' | 'out', bytes: Uint8Array | string): void => {
    if (direction === 'in') asked = 0
    else if (String(bytes).includes('rpc.ping')) asked++
  }
  const connection: Feed = await connect(address, feed, {
    limits: { ...soon, heartbeatMs },
    onDisconnect: ({ message }) => {
      lost.push({ message, asked })
      asked = 0
    },
    tap: { frame, close: () => undefined },
    ...options,
  })
  onTestFinished(() => connection.abort())
  await connection.on.tick(() => ticks++, { onGap: (gap) => gaps.push(gap) }).ready
  await until(() => ticks > 0)
  return { lives, connection, lost, gaps, ticks: () => ticks }
}

/** Does nothing else for so long, as a handler or a consumer that computes. */
function block(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

describe('a server that stands still below a subscription', () => {
  const silence = `no sign of life in three times limits.heartbeatMs (${heartbeatMs} ms)`

  it('is found out after two questions, and taken again when it goes on', async () => {
    const { connection, gaps, lives, lost, ticks } = await listening()
    lives.signal('SIGSTOP')
    // Its backlog takes connections all the while, and each is found dead in the same way.
    await until(() => lost.length === 2)
    for (const { asked, message } of lost) {
      expect(message).toContain(silence)
      expect(asked).toBe(2)
    }
    expect(gaps).toEqual([])
    const before = ticks()
    lives.signal('SIGCONT')
    await until(() => ticks() > before)
    expect(gaps).toMatchObject([{ received: before }])
    expect(await connection.api.echo(1)).toBe(1)
    // What the connections asked that were given up, it has given up with them.
    let open = 0
    while (open !== 1) open = await connection.api.connections()
  })

  it('is found out also where it is killed in the end, and its next life is taken', async () => {
    const { gaps, lives, lost, ticks } = await listening()
    lives.signal('SIGSTOP')
    await until(() => lost.length === 1)
    const before = ticks()
    await lives.kill()
    await lives.begin({ last: true })
    await until(() => ticks() > before)
    expect(gaps).toMatchObject([{ received: before }])
  })

  it('ends the connection where that is not to be made again', async () => {
    const { connection, gaps, lives } = await listening({ reconnect: false, limits: { heartbeatMs } })
    const stream = connection.api.numbers({ from: 0 })
    await stream.ready
    lives.signal('SIGSTOP')
    const reason = await connection.closed
    expect(reason?.message).toContain(silence)
    const iterate = async (): Promise<void> => {
      for await (const _number of stream);
    }
    expect(await codeOf(iterate())).toBe('closed')
    expect(gaps).toEqual([])
  })
})

describe('a server that dies', () => {
  it('is missed at once where this side takes nothing of what it is sent, or computes', async () => {
    const { connection, lives, lost } = await listening()
    const stream = connection.api.numbers({ from: 0 })
    await stream.ready
    const killed = lives.kill()
    block(2 * heartbeatMs)
    await killed
    await until(() => lost.length === 1, 2 * heartbeatMs)
    expect(lost[0]?.asked).toBeLessThan(2)
  })
})

describe('a server that stands still below calls', () => {
  it('lets them end by their deadlines, and the same connection goes on with what comes late dropped', async () => {
    const { connection, lives } = await listening({ reconnect: false, limits: { heartbeatMs: 0 } })
    let late = 0
    for (let stop = 0; stop < 20; stop++) {
      lives.signal('SIGSTOP')
      const calls = Array.from({ length: 8 }, (_, value) => connection.call('feed.echo', value, { timeoutMs: 20 }))
      const codes = await Promise.all(calls.map(codeOf))
      lives.signal('SIGCONT')
      // A call that was answered while its server was still on its way to a stop is no late one.
      late += codes.filter((code) => code === 'deadline_exceeded').length
      expect(codes.filter((code) => code !== 'deadline_exceeded' && code !== 'none')).toEqual([])
      expect(await connection.api.echo(stop)).toBe(stop)
    }
    expect(late).toBeGreaterThan(0)
    expect(connection.unmatchedAnswers).toBe(late)
    expect(connection.connected).toBe(true)
  })
})

describe('a process that computes for longer than the heartbeat', () => {
  it('takes nobody for dead when it is this one, in timers or in what else there is', async () => {
    const { gaps, lost, ticks } = await listening()
    const computing = setInterval(() => block(heartbeatMs), 1)
    onTestFinished(() => clearInterval(computing))
    for (let time = 0; time < 3; time++) {
      const before = ticks()
      block(5 * heartbeatMs)
      await until(() => ticks() > before)
    }
    clearInterval(computing)
    expect([lost, gaps]).toEqual([[], []])
  })

  it('is not taken for dead when it is the server, until it has missed two questions', async () => {
    const { connection, gaps, lost, ticks } = await listening()
    for (let time = 0; time < 3; time++) {
      await connection.api.block({ ms: heartbeatMs * 1.2 })
      const before = ticks()
      await until(() => ticks() > before)
    }
    expect([lost, gaps]).toEqual([[], []])
  })
})

describe('a jump of the wall clock', () => {
  for (const days of [1, -1]) {
    it(`by ${days} day changes nothing: no call ends early or late, no connection is lost`, async () => {
      const address = `unix:${await temporaryDirectory()}/s`
      const answers: ((value: number) => void)[] = []
      const echo = (value: number): number | Promise<number> =>
        value > 0 ? value : new Promise((resolve) => answers.push(resolve))
      const never = (): never => {
        throw new Error('nobody asks for this')
      }
      const handlers = { *numbers() {}, echo, block: never, connections: never }
      const server = await serve(feed, handlers, { at: address })
      onTestFinished(() => server.close())
      const lost: unknown[] = []
      const options = { limits: { ...soon, heartbeatMs: 50 }, onDisconnect: (reason: unknown) => lost.push(reason) }
      const connection: Feed = await connect(address, feed, options)
      onTestFinished(() => connection.abort())
      let ticks = 0
      await connection.on.tick(() => ticks++).ready
      vi.useFakeTimers({ toFake: ['Date'] })
      onTestFinished(() => void vi.useRealTimers())
      const patient = connection.api.echo(0, { timeoutMs: 10_000 })
      const hasty = codeOf(connection.api.echo(-1, { timeoutMs: 100 }))
      await until(() => answers.length === 2)
      vi.setSystemTime(Date.now() + days * 86_400_000)
      expect(await hasty).toBe('deadline_exceeded')
      for (const answer of answers) answer(7)
      expect(await patient).toBe(7)
      server.emit.tick({ life: 1, count: 1 })
      await until(() => ticks === 1)
      expect(lost).toEqual([])
    })
  }
})
