/** A server that dies and comes back within this process, and sessions of clients that outlive it. No sockets, no time. */

import { onTestFinished } from 'vitest'
import { PosternError } from '../../src/core/errors.ts'
import { type Limits, resolveLimits } from '../../src/core/limits.ts'
import { jsonRpc } from '../../src/protocols/json-rpc.ts'
import type { CallHandler } from '../../src/rpc/incoming-call.ts'
import { LastingSession, type LastingSessionOptions } from '../../src/rpc/lasting-session.ts'
import { Session } from '../../src/rpc/session.ts'
import { memoryPair } from '../../src/transports/memory.ts'

const address = 'memory:mortal'

export class MortalServer {
  /** What an attempt to connect is answered with while the server is down. */
  failure: Error = new PosternError('no_listener', `nobody serves ${address}`)
  /** Told of each attempt to connect. */
  onAttempt: () => void = () => undefined
  attempts = 0
  /** Connections to this server that were ever made. */
  connections = 0
  #up = true
  #sessions = new Set<Session>()
  readonly #handler: CallHandler
  readonly #limits: Limits

  constructor(handler: CallHandler, limits: Partial<Limits> = {}) {
    this.#handler = handler
    this.#limits = resolveLimits(limits)
  }

  /** As a crash does: its connections break off. */
  kill(): void {
    this.#up = false
    this.drop()
  }

  /** Breaks the connections off, and takes new ones. */
  drop(): void {
    for (const session of this.#sessions) session.abort()
    this.#sessions.clear()
  }

  start(): void {
    this.#up = true
  }

  /** As a server that ends in order: no new calls, and no new connections. */
  async close(): Promise<void> {
    this.#up = false
    const open = [...this.#sessions]
    this.#sessions.clear()
    await Promise.all(open.map((session) => session.close()))
  }

  readonly open = async (): Promise<Session> => {
    this.attempts++
    this.onAttempt()
    if (!this.#up) throw this.failure
    this.connections++
    const limits = this.#limits
    const end = { limits, maxFrameBytes: limits.maxAnswerBytes }
    const [ours, theirs] = memoryPair(end, end)
    const common = { address, protocol: jsonRpc, limits, integers: 'bigint', postern: true, onError: ignore } as const
    const served = new Session(theirs, { ...common, side: 'server', handler: this.#handler })
    const session = new Session(ours, { ...common, side: 'client' })
    this.#sessions.add(served)
    served.start()
    session.start()
    return session
  }

  /** A client of it, dropped when the test is over. */
  async client(options: Partial<LastingSessionOptions> = {}): Promise<LastingSession> {
    const session = new LastingSession(await this.open(), {
      address,
      limits: this.#limits,
      reconnect: true,
      open: this.open,
      onError: ignore,
      random: () => 1,
      ...options,
    })
    onTestFinished(() => session.abort())
    return session
  }
}

const ignore = (): void => undefined

/** Lets everything happen that needs no time to pass. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) {
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
  }
}
