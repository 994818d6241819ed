/**
 * One subscription as its consumer sees it: an async iterable that unsubscribes when the loop is left.
 */

import { PosternError } from '../core/errors.ts'
import { ItemBuffer } from './item-buffer.ts'
import type { CallOptions, Outcome } from './pending-calls.ts'
import type { SubscriptionId, Subscriptions } from './subscriptions.ts'

/** What a subscription needs of the asking half of its session. */
interface SubscribingSession {
  readonly subscriptions: Subscriptions
  readonly maxBufferedItems: number
  request(method: string, params: unknown, options: CallOptions, settle: (outcome: Outcome) => void): void
  call(method: string, params: unknown, options: CallOptions): Promise<unknown>
}

/** What a subscriber may say. */
export interface SubscribeOptions {
  /** Ends the iteration with `cancelled` when it aborts. */
  readonly signal?: AbortSignal
}

/**
 * Items as they come. Leaving the loop unsubscribes. When the connection ends, the iteration throws after the last
 * item that arrived; when more items wait than `limits.maxBufferedItems`, it throws `limit_exceeded`.
 */
export class Subscription implements AsyncIterableIterator<unknown, undefined> {
  readonly #session: SubscribingSession
  readonly #method: string
  readonly #buffer: ItemBuffer
  readonly #stopListening: (() => void) | undefined
  #id: SubscriptionId | undefined
  #over = false
  #rejectReady: (error: Error) => void = () => undefined
  /** Resolves with the server's id of the subscription when it stands; rejects when it was refused. */
  readonly ready: Promise<SubscriptionId>

  constructor(session: SubscribingSession, method: string, params: unknown, options: SubscribeOptions) {
    this.#session = session
    this.#method = method
    const { maxBufferedItems: maxItems } = session
    this.#buffer = new ItemBuffer({ maxItems, overflow: () => this.#overflow(maxItems) })
    this.#stopListening = this.#listen(options.signal)
    this.ready = this.#subscribe(params, options.signal)
    // Who only iterates is told by the iteration.
    this.ready.catch(() => undefined)
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    return this.#buffer.take()
  }

  /** Unsubscribes and drops what is buffered. */
  async return(): Promise<IteratorResult<unknown, undefined>> {
    this.#finish()
    this.#buffer.discard()
    this.#rejectReady(new PosternError('cancelled', `${this.#method}: its loop was left`))
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  #subscribe(params: unknown, signal: AbortSignal | undefined): Promise<SubscriptionId> {
    const { subscriptions } = this.#session
    return new Promise((resolve, reject) => {
      this.#rejectReady = reject
      try {
        if (signal?.aborted === true) throw this.#cancelled(signal)
        subscriptions.expect()
      } catch (error) {
        this.#end(error as Error)
        return
      }
      // The signal does not cancel the call: its answer names what has to be unsubscribed.
      this.#session.request(this.#method, params, {}, (outcome) => {
        const id = 'error' in outcome ? undefined : outcome.value
        if (typeof id === 'string' || typeof id === 'number') this.#opened(id, resolve)
        else {
          subscriptions.refused()
          this.#end('error' in outcome ? outcome.error : notAnId(this.#method))
        }
      })
    })
  }

  #opened(id: SubscriptionId, resolve: (id: SubscriptionId) => void): void {
    if (!this.#session.subscriptions.open(id, this.#buffer)) {
      this.#end(new PosternError('bad_message', `${this.#method} was answered with the id of another subscription`))
      return
    }
    this.#id = id
    // The loop was left before the answer came.
    if (this.#over) this.#unsubscribe(id)
    else resolve(id)
  }

  #listen(signal: AbortSignal | undefined): (() => void) | undefined {
    if (signal === undefined) return undefined
    const abort = (): void => this.#end(this.#cancelled(signal))
    signal.addEventListener('abort', abort, { once: true })
    return () => signal.removeEventListener('abort', abort)
  }

  #cancelled({ reason }: AbortSignal): PosternError {
    return new PosternError('cancelled', `${this.#method} was cancelled by its caller`, { cause: reason })
  }

  #overflow(maxItems: number): PosternError {
    this.#finish()
    return new PosternError(
      'limit_exceeded',
      `${this.#method}: more than limits.maxBufferedItems (${maxItems}) items wait for their consumer`,
      { details: { limit: 'maxBufferedItems', value: maxItems } },
    )
  }

  #end(error: Error): void {
    this.#finish()
    this.#buffer.end(error)
    this.#rejectReady(error)
  }

  #finish(): void {
    if (this.#over) return
    this.#over = true
    this.#stopListening?.()
    if (this.#id !== undefined) this.#unsubscribe(this.#id)
  }

  #unsubscribe(id: SubscriptionId): void {
    // Nothing is left to tell where the server, or the connection, has ended it already.
    if (!this.#session.subscriptions.drop(id)) return
    const method = this.#method.replace(/subscribe$/, 'unsubscribe')
    this.#session.call(method, [id], {}).catch(() => undefined)
  }
}

function notAnId(method: string): PosternError {
  return new PosternError('bad_message', `${method} was not answered with the id of a subscription`)
}
