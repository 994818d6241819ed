/**
 * A connection as its user sees it.
 */

import type { SharedBlob } from '../core/blobs.ts'
import type { PosternError } from '../core/errors.ts'
import type { Peer } from '../core/stream.ts'
import type { BatchCall } from '../rpc/calling.ts'
import type { Caller } from '../rpc/incoming-call.ts'
import type { LastingSession } from '../rpc/lasting-session.ts'
import type { CallOptions } from '../rpc/pending-calls.ts'
import { type SubscribeOptions, Subscription } from '../rpc/subscription.ts'
import { type Api, type ApiHost, apiOf, gapTeller, type Listeners, listenersOf } from '../service/client.ts'
import type { Contract } from '../service/contract.ts'
import type { Emit } from '../service/events.ts'
import type { Members, NoErrors } from '../service/members.ts'
import { compose, type Middleware } from '../service/middleware.ts'
import type { OnError } from './error-log.ts'

/** A call on its way to the server, as middleware of a client sees it. */
export interface ClientCall {
  readonly method: string
  readonly params: unknown
  readonly options: CallOptions
}

/** What a connection is made of. */
export interface ConnectionParts {
  readonly session: LastingSession
  readonly contract: Contract | undefined
  readonly use: readonly Middleware<ClientCall>[]
  readonly onError: OnError
  /** What the client serves itself can emit. */
  readonly emit: Emit<Members>
}

/**
 * A conversation with one server, which outlives the server: a lost connection is made again, unless `reconnect: false`
 * was said. Without a contract `api` and `on` have no functions, and everything goes by `call` and `subscribe`.
 *
 * `M`: what the server serves, `S`: what the client does.
 */
export class Connection<M extends Members = NoErrors, S extends Members = NoErrors> implements Caller {
  /** The methods and streams of the contract as functions. */
  readonly api: Api<M>
  /** The events of the contract: `connection.on.joined((peer) => ...)` adds a listener. */
  readonly on: Listeners<M>
  /** The events of the contract that the client serves: `connection.emit.progress(0.5)` sends one to the server. */
  readonly emit: Emit<S>
  /**
   * Resolves when the connection is over for good, with the reason unless it was closed here or both sides ended in
   * order.
   */
  readonly closed: Promise<PosternError | undefined>
  readonly #session: LastingSession
  readonly #host: ApiHost

  constructor({ session, contract, use, onError, emit }: ConnectionParts) {
    this.#session = session
    this.closed = session.closed
    this.emit = emit as Emit<S>
    const host: ApiHost = {
      call: callThrough(use, session),
      open: (request) => new Subscription(session, request),
      onError,
    }
    this.#host = host
    this.api = (contract === undefined ? Object.freeze({}) : apiOf(contract, host)) as Api<M>
    this.on = (contract === undefined ? Object.freeze({}) : listenersOf(contract, host)) as Listeners<M>
  }

  /** Who serves, as the kernel says; while there is no connection, who did last. */
  get peer(): Peer {
    return this.#session.peer
  }

  /** Whether there is a connection at this moment. */
  get connected(): boolean {
    return this.#session.connected
  }

  /** Answers that came for no call: too late, twice, or never asked for. */
  get unmatchedAnswers(): number {
    return this.#session.unmatchedAnswers
  }

  /** Calls a method with `raw`: the bytes of the result as they came. */
  call(method: string, params: unknown, options: CallOptions & { readonly raw: true }): Promise<Uint8Array>
  /**
   * Calls a method by its full name. An array is the list of positional parameters, an object the named ones; anything
   * else becomes the one positional parameter. The params must not change until the call has settled.
   *
   * @example
   * ```ts
   * const balance = await geth.call('eth_getBalance', [account, 'latest'], { timeoutMs: 5_000 })
   * ```
   */
  call(method: string, params?: unknown, options?: CallOptions): Promise<unknown>
  call(method: string, params?: unknown, options: CallOptions = {}): Promise<unknown> {
    return this.#host.call(method, params, options)
  }

  /**
   * Tells something that wants no answer. Resolves when it has a place in the queue, which is no proof of its arrival.
   *
   * @example
   * ```ts
   * await connection.notify('log.line', { text: 'hello' })
   * ```
   */
  notify(method: string, params?: unknown): Promise<void> {
    return this.#session.notify(method, params)
  }

  /**
   * Memory of that many bytes, to be filled and sent as any value of a call, as `blob` or `blob.bytes`: it is handed over,
   * whatever its size, and not copied. It is then gone from here, and arrives as a `Uint8Array`.
   *
   * Rejects with `not_supported` unless the address is of `shm:` with `codec=msgpack` or `codec=cbor`, and with
   * `limit_exceeded` above `limits.maxBlobBytes`.
   *
   * @example
   * ```ts
   * const blob = await connection.blob(1920 * 1080 * 4)
   * blob.bytes.fill(255)
   * await connection.call('frames.show', { pixels: blob.bytes })
   * ```
   */
  blob(bytes: number): Promise<SharedBlob> {
    return this.#session.blob(bytes)
  }

  /**
   * Several calls in one frame. Resolves with their outcomes in the order of the calls, as `Promise.allSettled` does.
   *
   * @example
   * ```ts
   * const [chainId, gasPrice] = await geth.batch([['eth_chainId'], ['eth_gasPrice']])
   * ```
   */
  batch(calls: readonly BatchCall[], options?: CallOptions): Promise<PromiseSettledResult<unknown>[]> {
    return this.#session.batch(calls, options)
  }

  /**
   * Subscribes, in the shape that Ethereum nodes use. Leaving the loop unsubscribes. After a reconnect it goes on, and
   * `onGap` is told that items are missing.
   *
   * @example
   * ```ts
   * for await (const head of geth.subscribe('eth_subscribe', ['newHeads'])) console.log(head)
   * ```
   */
  subscribe(method: string, params?: unknown, { signal, onGap }: SubscribeOptions = {}): Subscription {
    if (typeof method !== 'string' || !method.endsWith('subscribe'))
      throw new TypeError(`the name of a subscribing method ends in "subscribe", not "${method}"`)
    const told = gapTeller(method, this.#host, onGap)
    return new Subscription(this.#session, {
      method,
      params: () => params,
      credit: false,
      restore: 'at once',
      onGap: told,
      signal,
    })
  }

  /**
   * Waits up to `limits.drainMs` for the calls that wait, then ends the connection. Idempotent. An open connection keeps
   * the process alive, also while it is being made again.
   *
   * @example
   * ```ts
   * await connection.close() // where `await using` is not known
   * ```
   */
  close(): Promise<void> {
    return this.#session.close()
  }

  /**
   * Ends the connection at once; calls that wait reject.
   *
   * @example
   * ```ts
   * signal.addEventListener('abort', () => connection.abort())
   * ```
   */
  abort(reason?: PosternError): void {
    this.#session.abort(reason)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** Middleware costs a call nothing where there is none. */
function callThrough(use: readonly Middleware<ClientCall>[], session: LastingSession): ApiHost['call'] {
  if (use.length === 0) return (method, params, options) => session.call(method, params, options)
  const composed = compose(use, ({ method, params, options }) => session.call(method, params, options))
  return async (method, params, options) => await composed({ method, params, options })
}
