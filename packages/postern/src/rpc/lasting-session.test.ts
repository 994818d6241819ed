import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MortalServer, settled } from '../../test/faults/mortal-server.ts'
import { isPosternError, PosternError } from '../core/errors.ts'
import type { LastingSession } from './lasting-session.ts'
import type { Session } from './session.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

/** Lets so much time pass, and then everything happen. */
async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
  await settled()
}

const codeOf = async (promise: Promise<unknown>): Promise<unknown> =>
  await promise.then(
    () => 'none',
    (error: unknown) => (isPosternError(error) ? error.code : error),
  )

/** A session that stood so long was no failed attempt. */
const steadyMs = 200

/** A server whose `echo` answers, whose `never` does not, and that remembers what was called. */
function echoServer(limits: ConstructorParameters<typeof MortalServer>[1] = {}) {
  const called: unknown[] = []
  const server = new MortalServer(({ method, params }) => {
    if (method === 'count') called.push(params)
    return method === 'never' ? new Promise(() => undefined) : params
  }, limits)
  return { server, called }
}

/** The server is killed, and the client knows it. */
async function kill(server: MortalServer): Promise<void> {
  server.kill()
  await settled()
}

describe('LastingSession, when its server dies and comes back,', () => {
  it('says so, once each, and calls go on', async () => {
    const { server } = echoServer()
    const told: unknown[] = []
    const session = await server.client({
      onDisconnect: ({ code }) => told.push(code),
      onReconnect: () => told.push('back'),
    })
    expect(await session.call('echo', [1])).toEqual([1])
    await kill(server)
    expect([session.connected, told]).toEqual([false, ['closed']])
    server.start()
    await pass(999)
    expect(session.connected).toBe(false)
    await pass(1)
    expect([session.connected, told]).toEqual([true, ['closed', 'back']])
    expect(await session.call('echo', [2])).toEqual([2])
  })

  it('sends what waited, calls and notes and batches, in their order', async () => {
    const { server, called } = echoServer()
    const session = await server.client()
    await kill(server)
    const waiting = [
      session.call('count', [1]),
      session.notify('count', [2]),
      session.batch([['count', [3]]]),
      session.call('count', [4]),
    ]
    await settled()
    server.start()
    await pass(1_000)
    await Promise.all(waiting)
    expect(called).toEqual([[1], [2], [3], [4]])
  })

  it('tells a written call that its outcome is unknown, and repeats one that is idempotent', async () => {
    const { server } = echoServer()
    const session = await server.client()
    const calls = [session.call('never'), session.call('never', [], { idempotent: true })]
    const codes = calls.map(codeOf)
    await settled()
    await kill(server)
    expect(await codes[0]).toBe('unknown_outcome')
    server.start()
    await pass(1_000)
    expect(server.connections).toBe(2)
    session.abort()
    expect(await codes[1]).toBe('unknown_outcome')
  })

  it('repeats an idempotent call on as many further sessions as limits.retries says', async () => {
    const { server } = echoServer({ retries: 3, callMs: 600_000 })
    const session = await server.client()
    const code = codeOf(session.call('never', [], { idempotent: true }))
    for (let death = 0; death < 3; death++) {
      await settled()
      server.drop()
      await pass(5_000)
    }
    expect(session.connected).toBe(true)
    server.drop()
    await settled()
    expect(await code).toBe('unknown_outcome')
    expect(server.connections).toBe(4)
  })

  it('does not repeat a call whose caller has given it up', async () => {
    const { server } = echoServer()
    const session = await server.client()
    const controller = new AbortController()
    const code = codeOf(session.call('never', [], { idempotent: true, signal: controller.signal }))
    await kill(server)
    controller.abort()
    expect(await code).toBe('cancelled')
    server.start()
    await pass(1_000)
    expect(session.connected).toBe(true)
  })

  it('sends again what a closing server refused, though the connection to it still stands', async () => {
    const { server } = echoServer({ drainMs: 300 })
    const session = await server.client()
    const running = codeOf(session.call('never'))
    await settled()
    const closed = server.close()
    await settled()
    const again = session.call('echo', [7])
    await settled()
    expect(session.connected).toBe(false)
    server.start()
    await pass(300)
    await closed
    expect(await running).toBe('unknown_outcome')
    await pass(1_000)
    expect(await again).toEqual([7])
    expect(server.connections).toBe(2)
  })

  it('adds up the answers that came for no call', async () => {
    const { server } = echoServer()
    const late: ((value: unknown) => void)[] = []
    const slow = new MortalServer(() => new Promise((resolve) => late.push(resolve)))
    expect(server.attempts).toBe(0)
    const session = await slow.client()
    for (let round = 1; round <= 2; round++) {
      const code = codeOf(session.call('slow', [], { timeoutMs: 50 }))
      await settled()
      await pass(60)
      expect(await code).toBe('deadline_exceeded')
      late.pop()?.('late')
      await settled()
      expect(session.unmatchedAnswers).toBe(round)
      slow.drop()
      await pass(2_000)
      expect(session.connected).toBe(true)
    }
  })

  it('hands what onDisconnect and onReconnect throw to onError', async () => {
    const { server } = echoServer()
    const errors: unknown[] = []
    const boom = (): never => {
      throw new Error('boom')
    }
    const onError = (error: unknown): unknown => errors.push(error)
    const session = await server.client({ onDisconnect: boom, onReconnect: boom, onError })
    server.drop()
    await pass(1_000)
    expect(errors).toHaveLength(2)
    expect(await session.call('echo', [1])).toEqual([1])
  })
})

describe('LastingSession, while nothing is connected,', () => {
  it('lets calls wait for connectMs, or for less where their timeoutMs is, and says why nothing came', async () => {
    const { server } = echoServer({ connectMs: 3_000 })
    const session = await server.client()
    await kill(server)
    const short = session.call('echo', [], { timeoutMs: 100 })
    const long = session.call('echo')
    const codes = [short, long].map(codeOf)
    await pass(100)
    expect(await codes[0]).toBe('closed')
    await pass(2_899)
    await pass(1)
    expect(await codes[1]).toBe('closed')
    await expect(long).rejects.toThrow(/within 3000 ms: nobody serves memory:mortal/)
    server.start()
    await pass(10_000)
    expect(await session.call('echo', [1])).toEqual([1])
  })

  it('lets as many wait as limits.maxPending says', async () => {
    const { server } = echoServer({ maxPending: 3 })
    const session = await server.client()
    await kill(server)
    const waiting = [session.call('echo', [1]), session.batch([['echo']]), session.notify('echo')]
    await expect(session.call('echo')).rejects.toThrow(/\[limit_exceeded\] echo: .* limits\.maxPending \(3\)/)
    await expect(session.notify('echo')).rejects.toThrow('[limit_exceeded]')
    server.start()
    await pass(1_000)
    await Promise.all(waiting)
    expect(await session.call('echo', [1])).toEqual([1])
  })

  it('lets go of a call whose signal aborts, and takes none whose signal has', async () => {
    const { server } = echoServer({ maxPending: 1 })
    const session = await server.client()
    await kill(server)
    const controller = new AbortController()
    const code = codeOf(session.call('echo', [], { signal: controller.signal }))
    controller.abort()
    expect(await code).toBe('cancelled')
    expect(await codeOf(session.call('echo', [], { signal: AbortSignal.abort() }))).toBe('cancelled')
    const next = session.call('echo', [1])
    server.start()
    await pass(1_000)
    expect(await next).toEqual([1])
  })

  it('waits longer after each attempt that failed, and from the beginning after a session that stood', async () => {
    const { server } = echoServer()
    const attempts: number[] = []
    const session = await server.client()
    server.onAttempt = () => attempts.push(performance.now())
    /** The pauses of a server that is down for so many attempts. */
    const pauses = async (count: number): Promise<number[]> => {
      const lostMs = performance.now()
      attempts.length = 0
      await kill(server)
      while (attempts.length < count) await pass(100)
      server.start()
      await pass(5_000 + steadyMs)
      expect(session.connected).toBe(true)
      return attempts.map((at, index) => at - (attempts[index - 1] ?? lostMs))
    }
    expect(await pauses(5)).toEqual([1_000, 2_000, 4_000, 5_000, 5_000, 5_000])
    expect(await pauses(2)).toEqual([1_000, 2_000, 4_000])
    // Sessions that break off at once are attempts that failed.
    attempts.length = 0
    const startMs = performance.now()
    for (let death = 0; death < 3; death++) {
      server.drop()
      while (attempts.length === death) await pass(100)
    }
    expect(attempts.map((at) => at - startMs)).toEqual([1_000, 3_000, 7_000])
  })
})

describe('LastingSession ends', () => {
  const ended = async (session: LastingSession): Promise<unknown> => {
    const reason = await session.closed
    expect(session.connected).toBe(false)
    expect(await codeOf(session.call('echo'))).toBe('closed')
    expect(await codeOf(session.notify('echo'))).toBe('closed')
    expect(vi.getTimerCount()).toBe(0)
    return reason
  }

  it('when it is closed or dropped in the middle of a pause, with all that waits', async () => {
    const dropped = new PosternError('closed', 'enough')
    for (const reason of [undefined, dropped]) {
      const { server } = echoServer()
      const session = await server.client()
      await kill(server)
      const codes = [session.call('echo'), session.notify('echo'), session.batch([['echo']])].map(codeOf)
      if (reason === undefined) await session.close()
      else session.abort(reason)
      expect(await Promise.all(codes)).toEqual(['closed', 'closed', 'closed'])
      expect(await ended(session)).toBe(reason)
      expect(server.attempts).toBe(1)
    }
  })

  it('when it is closed in the middle of an attempt, whose session is dropped', async () => {
    const { server } = echoServer()
    const late: ((session: Session) => void)[] = []
    const session = await server.client({ open: () => new Promise((resolve) => late.push(resolve)) })
    await kill(server)
    await pass(1_000)
    expect(late).toHaveLength(1)
    await session.close()
    server.start()
    const made = await server.open()
    late[0]?.(made)
    await settled()
    expect(made.open).toBe(false)
    expect(await ended(session)).toBe(undefined)
  })

  it('when an attempt fails in a way that no other can mend', async () => {
    const stranger = new PosternError('peer_rejected', 'a stranger')
    for (const [failure, code] of [
      [stranger, 'peer_rejected'],
      [new Error('a slip'), 'internal'],
    ] as const) {
      const { server } = echoServer()
      const session = await server.client()
      await kill(server)
      server.failure = failure
      const call = session.call('echo')
      const rejected = expect(call).rejects.toThrow(/\[closed\] the call: .*(a stranger|a slip)/)
      await pass(1_000)
      await rejected
      expect(await ended(session)).toMatchObject({ code })
    }
  })

  it('not when an attempt takes too long, or finds the server busy', async () => {
    const { server } = echoServer()
    const session = await server.client()
    await kill(server)
    server.failure = new PosternError('deadline_exceeded', 'no connection in time')
    await pass(1_000)
    server.failure = new PosternError('busy', 'its backlog is full')
    await pass(2_000)
    expect(server.attempts).toBe(3)
    server.start()
    await pass(4_000)
    expect(await session.call('echo', [1])).toEqual([1])
  })

  it('with the connection where reconnect is false', async () => {
    const { server } = echoServer()
    const told: unknown[] = []
    const session = await server.client({ reconnect: false, onDisconnect: (reason) => told.push(reason) })
    const code = codeOf(session.call('never', [], { idempotent: true }))
    await settled()
    await kill(server)
    expect(await code).toBe('unknown_outcome')
    expect(await ended(session)).toMatchObject({ code: 'closed' })
    expect([server.attempts, told]).toEqual([1, []])
  })

  it('once, though it is closed many times', async () => {
    const { server } = echoServer()
    const session = await server.client()
    await Promise.all([session.close(), session.close()])
    await session.close()
    expect(await ended(session)).toBe(undefined)
  })
})
