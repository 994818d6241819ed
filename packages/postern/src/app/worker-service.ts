/**
 * A service whose handlers are in worker threads.
 *
 * Each client has a session of its own with each worker that serves it, over a message port that is opened with its
 * first call there. So a handler knows its caller, calls it back, and ends with it, as it would in the main thread.
 */

import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { MessageChannel } from 'node:worker_threads'
import { maxTimerMs } from '../core/deadline.ts'
import { isPosternError } from '../core/errors.ts'
import { type Limits, resolveLimits } from '../core/limits.ts'
import type { Peer } from '../core/stream.ts'
import { type CallContext, type Caller, refusal } from '../rpc/incoming-call.ts'
import { Session } from '../rpc/session.ts'
import { Subscription } from '../rpc/subscription.ts'
import { type Contract, wireName } from '../service/contract.ts'
import type { AnyHandlers, Handler } from '../service/handlers.ts'
import { type Service, serviceOfContract } from '../service/routes.ts'
import { messagePortChannel } from '../transports/message-port.ts'
import type { OnError } from './error-log.ts'
import type { ServedClient } from './served-client.ts'
import { askClient } from './worker-client.ts'
import {
  type Boxed,
  boxedContract,
  forwarded,
  isWireError,
  maxThreadFrameBytes,
  passedOn,
  plainContract,
  threadLimits,
  threadProtocol,
} from './worker-link.ts'
import { WorkerPool } from './worker-pool.ts'
import type { WorkerThread } from './worker-thread.ts'

/** How handlers are served in workers. */
export interface WorkerServiceOptions {
  /** How many. Default: one for each processor, at most 8. */
  readonly workers?: number | undefined
  /** The contract that clients serve. */
  readonly client?: Contract | undefined
  readonly limits?: Partial<Limits> | undefined
  readonly onError: OnError
}

/** Each takes some megabytes and begins within the start of the server; who wants more says so. */
const mostByDefault = 8

const mostWorkers = 64

/** Starts the workers. Throws `TypeError` when the module has not the handlers that the contract asks for. */
export async function serveInWorkers(
  contract: Contract,
  module: URL,
  { workers = Math.min(availableParallelism(), mostByDefault), client, limits: given, onError }: WorkerServiceOptions,
): Promise<WorkerService> {
  if (!Number.isInteger(workers) || workers < 1 || workers > mostWorkers)
    throw new TypeError(`workers is a whole number from 1 to ${mostWorkers}, not ${String(workers)}`)
  const limits = resolveLimits(given)
  const pool = new WorkerPool({
    workers,
    start: { module: module.href, contract: boxedContract(contract), client: client && plainContract(client), limits },
    file: module.protocol === 'file:' ? fileURLToPath(module) : module.href,
    limits,
    onError,
  })
  const names = await pool.start()
  return new WorkerService({ contract, client, pool, names, limits, onError })
}

interface Parts {
  readonly contract: Contract
  readonly client: Contract | undefined
  readonly pool: WorkerPool
  /** The handlers that there are. */
  readonly names: readonly string[]
  readonly limits: Limits
  readonly onError: OnError
}

export class WorkerService {
  /** The service as the main thread runs it: its handlers hand the calls on. */
  readonly service: Service
  readonly #parts: Parts
  readonly #limits: Limits
  readonly #clients = new WeakMap<Caller, ClientSessions>()

  constructor(parts: Parts) {
    this.#parts = parts
    // Only the client says how long a call may take, and its calls have been counted when they come here.
    const { maxPending } = parts.limits
    this.#limits = { ...threadLimits(parts.limits), callMs: maxTimerMs, maxRunning: maxPending }
    const { contract, names } = parts
    const handlers = names.map((key) => [key, this.#handler(key)])
    this.service = serviceOfContract(contract, Object.fromEntries(handlers) as AnyHandlers)
  }

  /** A client has come, with its conversation. */
  join(client: ServedClient, { closed, peer }: Session): void {
    const sessions = new ClientSessions((thread) => this.#connect(client, peer, thread))
    this.#clients.set(client, sessions)
    void closed.then(() => sessions.end())
  }

  /** Ends the workers. Idempotent. */
  close(): Promise<void> {
    return this.#parts.pool.close()
  }

  #handler(key: string): Handler {
    const { contract } = this.#parts
    const name = wireName(contract, key)
    const isStream = Object.hasOwn(contract.members, key) && contract.members[key]?.kind === 'stream'
    return isStream
      ? (value, ctx) => this.#stream(key, { value }, ctx)
      : (value, ctx) => this.#call(name, { value }, ctx)
  }

  async #call(name: string, boxed: Boxed, ctx: CallContext): Promise<unknown> {
    const { pool } = this.#parts
    const thread = await pool.take()
    const session = this.#sessionOf(ctx, thread)
    thread.running++
    try {
      const result = await session.call(name, [boxed], { signal: ctx.signal })
      pool.answered(thread)
      thread.running--
      return result
    } catch (error) {
      void this.#freeAfter(error, thread, session)
      throw this.#told(error, thread)
    }
  }

  async #stream(key: string, boxed: Boxed, ctx: CallContext): Promise<AsyncIterable<unknown>> {
    const { contract, pool } = this.#parts
    const thread = await pool.take()
    const items = new Subscription(this.#sessionOf(ctx, thread), {
      method: wireName(contract, 'subscribe'),
      params: (credit) => [key, boxed, { credit }],
      credit: true,
      restore: 'never',
      signal: ctx.signal,
    })
    let over = false
    const free = (): void => {
      if (!over) thread.running--
      over = true
    }
    const tell = (error: unknown): unknown => {
      free()
      return this.#told(error, thread)
    }
    const next = async (): Promise<IteratorResult<unknown, undefined>> => {
      const item = await items.next()
      if (item.done === true) free()
      return item
    }
    const end = (): Promise<IteratorResult<unknown, undefined>> => {
      free()
      return items.return()
    }
    thread.running++
    try {
      await items.ready
    } catch (error) {
      throw tell(error)
    }
    pool.answered(thread)
    return forwarded({ next, return: end }, tell)
  }

  /** A call that was given up may still compute: its worker is free when it answers something else. */
  async #freeAfter(error: unknown, thread: WorkerThread, session: Session): Promise<void> {
    if (isPosternError(error, 'cancelled')) await session.call('rpc.ping').catch(() => undefined)
    thread.running--
  }

  /** What the caller is told. That its worker has died says nothing of whether the call ran. */
  #told(error: unknown, thread: WorkerThread): unknown {
    if (!isPosternError(error)) return error
    if (isWireError(error.details)) this.#parts.pool.answered(thread)
    else if (error.code === 'closed' || error.code === 'unknown_outcome')
      return refusal('internal', 'the worker that ran this has ended; it may have run')
    return passedOn(error)
  }

  #sessionOf({ client }: CallContext, thread: WorkerThread): Session {
    const sessions = this.#clients.get(client)
    if (sessions === undefined) throw new TypeError('the middleware must pass on ctx.client as it came')
    return sessions.with(thread)
  }

  #connect(client: ServedClient, peer: Peer, thread: WorkerThread): Session {
    const { client: contract, onError } = this.#parts
    const limits = this.#limits
    const { port1, port2 } = new MessageChannel()
    const session = new Session(messagePortChannel(port1, { limits, maxFrameBytes: maxThreadFrameBytes }), {
      side: 'client',
      address: 'a worker',
      protocol: threadProtocol,
      limits,
      integers: 'bigint',
      handler: askClient(client, contract, limits.maxBufferedItems),
      postern: true,
      onError,
    })
    thread.connect(port2, peer, session)
    session.start()
    return session
  }
}

/** The sessions of one client, one for each worker that has served it. */
class ClientSessions {
  readonly #connect: (thread: WorkerThread) => Session
  readonly #sessions = new Map<WorkerThread, Session>()
  #over = false

  constructor(connect: (thread: WorkerThread) => Session) {
    this.#connect = connect
  }

  with(thread: WorkerThread): Session {
    const open = this.#sessions.get(thread)
    if (open !== undefined) return open
    if (this.#over) throw refusal('closed', 'the connection has ended')
    const session = this.#connect(thread)
    this.#sessions.set(thread, session)
    void session.closed.then(() => {
      this.#sessions.delete(thread)
      if (!this.#over) thread.giveUp()
    })
    return session
  }

  end(): void {
    this.#over = true
    for (const session of this.#sessions.values()) session.abort()
  }
}
