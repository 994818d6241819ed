/**
 * A connection as its user sees it.
 */

import type { PosternError } from '../core/errors.ts'
import type { Peer } from '../core/stream.ts'
import type { BatchCall } from '../rpc/calling.ts'
import type { Caller } from '../rpc/incoming-call.ts'
import type { CallOptions } from '../rpc/pending-calls.ts'
import type { Session } from '../rpc/session.ts'
import type { Subscription, SubscribeOptions } from '../rpc/subscription.ts'
import { type Api, apiOf } from '../service/client.ts'
import type { Contract, Methods } from '../service/contract.ts'

/** A conversation with one server. Without a contract `api` has no functions, and everything goes by `call`. */
// biome-ignore lint/complexity/noBannedTypes: no methods is what the type says
export class Connection<M extends Methods = {}> implements Caller {
  /** The methods of the contract as functions. */
  readonly api: Api<M>
  /** Resolves when the connection is over, with the reason unless both sides ended in order. */
  readonly closed: Promise<PosternError | undefined>
  readonly #session: Session

  constructor(session: Session, contract: Contract | undefined) {
    this.#session = session
    this.closed = session.closed
    this.api = (contract === undefined ? Object.freeze({}) : apiOf(contract, session)) as Api<M>
  }

  /** Who serves, as the kernel says. */
  get peer(): Peer {
    return this.#session.peer
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
  call(method: string, params?: unknown, options?: CallOptions): Promise<unknown> {
    return this.#session.call(method, params, options)
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
   * Subscribes, in the shape that Ethereum nodes use. Leaving the loop unsubscribes.
   *
   * @example
   * ```ts
   * for await (const head of geth.subscribe('eth_subscribe', ['newHeads'])) console.log(head)
   * ```
   */
  subscribe(method: string, params?: unknown, options?: SubscribeOptions): Subscription {
    return this.#session.subscribe(method, params, options)
  }

  /**
   * Waits up to `limits.drainMs` for the calls that wait, then ends the connection. Idempotent. An open connection keeps
   * the process alive.
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
