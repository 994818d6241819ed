/**
 * One subscription as its consumer sees it: an async iterable that unsubscribes when the loop is left, and that a
 * connection which comes back subscribes again.
 */

import { isPosternError, PosternError } from '../core/errors.ts'
import { type Calling, certainlyUnrun } from './calling.ts'
import { ItemBuffer } from './item-buffer.ts'
import type { Outcome } from './pending-calls.ts'
import type { SubscriptionId } from './subscriptions.ts'

/** Items that a Postern server may send ahead of their consumer: enough to keep both sides busy over a local socket. */
const creditWindow = 128

/** A hole in what a subscription delivers: the connection was lost, and items of that time are missing. */
export interface Gap {
  /** The subscription's own id, which stays the same. */
  readonly subscription: string
  /** Why the connection was lost. */
  readonly reason: PosternError
  /** How many items had arrived before the hole. */
  readonly received: number
}

/** What a subscriber may say. */
export interface SubscribeOptions {
  /** Ends the iteration with `cancelled` when it aborts. */
  readonly signal?: AbortSignal
  /**
   * Told of each hole, in its place between the items: when all before it have been taken, before the first one behind
   * it. Without it a hole is told to `onError` of the connection.
   */
  readonly onGap?: (gap: Gap) => void
}

/** What a subscription asks its server for. */
export interface SubscriptionRequest {
  /** The subscribing method, as `eth_subscribe`. */
  readonly method: string
  /** Its params; `credit`, where the server is to be granted some, and the gap that they come after. */
  readonly params: (credit: number | undefined, gap: Gap | undefined) => unknown
  /** Whether a Postern server sends only as many items as were granted. */
  readonly credit: boolean
  /**
   * What happens when the connection is lost: the feed is joined again as soon as it is back, or the stream begins again
   * when all items have been taken (so that `params` can say where to go on), or the iteration throws.
   */
  readonly restore: 'at once' | 'when drained' | 'never'
  /** Takes each item at once in place of the iteration. */
  readonly deliver?: (item: unknown) => void
  /** Told of each hole; not with `when drained`, whose params are. */
  readonly onGap?: ((gap: Gap) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** What a subscription lives on: one session, or all that a connection has one after the other. */
export interface SubscriptionHost {
  readonly maxBufferedItems: number
  /** Gives the subscription a name of its own, and calls `bind` now and whenever there is a new session. Throws where it is over. */
  join(subscription: Subscription): string
  /** The subscription is over. */
  leave(subscription: Subscription): void
  /** Whether there may be a further session, on which `bind` is called. */
  returns(): boolean
  /** Tells a subscription that has never stood when no further session comes in time. */
  expect(subscription: Subscription): void
  /** The server refuses because it is closing: this session is not to be used any more. */
  refused(): void
}

/** Why a subscription that stood may be refused, and yet stand again on the next session. */
const passing: ReadonlySet<string> = new Set(['overloaded', 'deadline_exceeded'])

/** After so long, and up to twice as long, a server that had too much to do is asked again. */
const overloadedPauseMs = 1_000

/**
 * Items as they come. Leaving the loop unsubscribes. When the connection ends for good, the iteration throws after the
 * last item that arrived; when more items wait than `limits.maxBufferedItems`, it throws `limit_exceeded`.
 */
export class Subscription implements AsyncIterableIterator<unknown, undefined> {
  /** Names the subscription in this process, also after a reconnect. */
  readonly id: string
  /** Resolves with `id` when the server has taken the subscription for the first time; rejects when it refused. */
  readonly ready: Promise<string>
  readonly #host: SubscriptionHost
  readonly #request: SubscriptionRequest
  readonly #buffer: ItemBuffer
  readonly #stopListening: (() => void) | undefined
  #resolveReady: (id: string) => void = () => undefined
  #rejectReady: (error: Error) => void = () => undefined
  /** The session that it stands on, and the server's name for it there. */
  #calling: Calling | undefined
  #serverId: SubscriptionId | undefined
  /** A session that waits until all items have been taken. */
  #waitsFor: Calling | undefined
  #stood = false
  #gap: Gap | undefined
  #received = 0
  #taken = 0
  #over = false
  #askAgain: NodeJS.Timeout | undefined
  /** Never more than the buffer takes. */
  readonly #window: number

  constructor(host: SubscriptionHost, request: SubscriptionRequest) {
    this.#host = host
    this.#request = request
    const { maxBufferedItems: maxItems } = host
    this.#window = Math.min(creditWindow, maxItems)
    this.#buffer = new ItemBuffer({ maxItems, overflow: () => this.#overflow(maxItems) })
    this.ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve
      this.#rejectReady = reject
    })
    // Who only iterates is told by the iteration.
    this.ready.catch(() => undefined)
    this.#stopListening = this.#listen(request.signal)
    this.id = this.#join()
  }

  async next(): Promise<IteratorResult<unknown, undefined>> {
    const result = this.#buffer.take()
    if (this.#waitsFor !== undefined) this.#bindWhenDrained(this.#waitsFor)
    const item = await result
    if (item.done !== true) this.#grant()
    return item
  }

  /** Unsubscribes and drops what is buffered. */
  async return(): Promise<IteratorResult<unknown, undefined>> {
    this.#finish()
    this.#buffer.discard()
    this.#rejectReady(new PosternError('cancelled', `${this.#request.method}: its loop was left`))
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  /** There is a session to subscribe on. For the host alone. */
  bind(calling: Calling): void {
    if (this.#over) return
    if (this.#gap !== undefined && this.#request.restore === 'when drained') this.#bindWhenDrained(calling)
    else this.#subscribe(calling)
  }

  /** One item has come. */
  item(item: unknown): void {
    if (this.#over) return
    this.#received++
    if (this.#request.deliver === undefined) this.#buffer.push(item)
    else this.#request.deliver(item)
  }

  /** The server has ended it. */
  ended(error?: PosternError): void {
    this.#serverId = undefined
    this.#end(error)
  }

  /** The session has ended. */
  lost(reason: PosternError): void {
    this.#calling = undefined
    this.#serverId = undefined
    this.#waitsFor = undefined
    clearTimeout(this.#askAgain)
    if (this.#over) return
    if (!this.#host.returns() || (this.#stood && this.#request.restore === 'never')) this.close(reason)
    else if (this.#stood) this.#gap ??= { subscription: this.id, reason, received: this.#received }
    else this.#host.expect(this)
  }

  /** No session has come in time. A listener goes on waiting for one; who waits for it to be ready is told. */
  late(error: PosternError): void {
    if (this.#request.deliver === undefined) this.#end(error)
    else this.#rejectReady(error)
  }

  /** The connection is closed at this side, or for good. */
  close(reason: PosternError): void {
    this.#end(new PosternError('closed', `${this.#request.method}: ${reason.sentence}`, { cause: reason }))
  }

  #join(): string {
    const { signal } = this.#request
    try {
      if (signal?.aborted === true) throw this.#cancelled(signal)
      return this.#host.join(this)
    } catch (error) {
      this.#end(error as Error)
      return ''
    }
  }

  #bindWhenDrained(calling: Calling): void {
    const ready = this.#buffer.drained && this.#buffer.awaited
    this.#waitsFor = ready ? undefined : calling
    if (ready) this.#subscribe(calling)
  }

  #subscribe(calling: Calling): void {
    const { method, params, credit } = this.#request
    let sent: unknown
    try {
      sent = params(credit && calling.postern ? this.#window : undefined, this.#gap)
      calling.subscriptions.expect()
    } catch (error) {
      this.#end(error as Error)
      return
    }
    this.#calling = calling
    this.#taken = 0
    // The signal does not cancel the call: its answer names what has to be unsubscribed.
    calling.request(method, sent, {}, (outcome) => this.#answered(calling, outcome))
  }

  #answered(calling: Calling, outcome: Outcome): void {
    const { subscriptions } = calling
    const id = 'error' in outcome ? undefined : outcome.value
    if (typeof id !== 'string' && typeof id !== 'number') {
      subscriptions.refused()
      this.#refused(calling, 'error' in outcome ? outcome.error : notAnId(this.#request.method))
      return
    }
    this.#serverId = id
    this.#stood = true
    this.#tellGap()
    if (!subscriptions.open(id, this)) {
      this.#serverId = undefined
      this.#end(
        new PosternError('bad_message', `${this.#request.method} was answered with the id of another subscription`),
      )
    } else if (this.#over) this.#unsubscribe()
    else this.#resolveReady(this.id)
  }

  /** A server that ends, or stands still, has not said no: on the next session it is asked again. */
  #refused(calling: Calling, error: Error): void {
    const passes = this.#stood && isPosternError(error) && passing.has(error.code)
    if (calling.stopped !== undefined) this.lost(calling.stopped)
    else if (!this.#host.returns() || !(passes || certainlyUnrun(error))) this.#end(error)
    else if (!passes) {
      // The session ends by itself, when the calls that run are done.
      this.#host.refused()
      this.lost(error as PosternError)
    } else if (error.code === 'overloaded') {
      const again = (): void => this.#subscribe(calling)
      this.#askAgain = setTimeout(again, overloadedPauseMs * (1 + Math.random()))
    } else {
      this.lost(error)
      calling.abandon(error)
    }
  }

  /** The hole lies between what has come and what comes now. */
  #tellGap(): void {
    const gap = this.#gap
    this.#gap = undefined
    const { deliver, onGap, restore } = this.#request
    if (gap === undefined || restore === 'when drained' || onGap === undefined) return
    if (deliver === undefined) this.#buffer.mark(() => onGap(gap))
    else onGap(gap)
  }

  /** Half of the window has been taken: the server may send as many more. */
  #grant(): void {
    if (!this.#request.credit || this.#calling?.postern !== true || this.#serverId === undefined) return
    if (++this.#taken < this.#window / 2) return
    this.#calling.tell('rpc.credit', { subscription: this.#serverId, add: this.#taken })
    this.#taken = 0
  }

  #listen(signal: AbortSignal | undefined): (() => void) | undefined {
    if (signal === undefined) return undefined
    const abort = (): void => this.#end(this.#cancelled(signal))
    signal.addEventListener('abort', abort, { once: true })
    return () => signal.removeEventListener('abort', abort)
  }

  #cancelled({ reason }: AbortSignal): PosternError {
    return new PosternError('cancelled', `${this.#request.method} was cancelled by its caller`, { cause: reason })
  }

  #overflow(maxItems: number): PosternError {
    this.#finish()
    return new PosternError(
      'limit_exceeded',
      `${this.#request.method}: more than limits.maxBufferedItems (${maxItems}) items wait for their consumer; take them faster, or raise it`,
      { details: { limit: 'maxBufferedItems', value: maxItems } },
    )
  }

  #end(error?: Error): void {
    this.#finish()
    this.#buffer.end(error)
    this.#rejectReady(error ?? new PosternError('closed', `${this.#request.method}: the subscription has ended`))
  }

  #finish(): void {
    if (this.#over) return
    this.#over = true
    clearTimeout(this.#askAgain)
    this.#stopListening?.()
    this.#unsubscribe()
    this.#host.leave(this)
  }

  #unsubscribe(): void {
    const id = this.#serverId
    const calling = this.#calling
    this.#serverId = undefined
    // Nothing is left to tell where the server, or the connection, has ended it already.
    if (id === undefined || calling === undefined || !calling.subscriptions.drop(id)) return
    const method = this.#request.method.replace(/subscribe$/, 'unsubscribe')
    calling.call(method, [id], {}).then(
      () => calling.subscriptions.forget(id),
      () => calling.subscriptions.forget(id),
    )
  }
}

function notAnId(method: string): PosternError {
  return new PosternError('bad_message', `${method} was not answered with the id of a subscription`)
}
