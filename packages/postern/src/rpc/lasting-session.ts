/**
 * One conversation for its user, though the server may come and go: session after session, with calls that wait for
 * the next one and subscriptions that are restored on it.
 *
 * When a connection is lost, each call under way is told apart by what is known of it:
 *
 * ```
 * not a byte of it was written, or it was refused by a closing server    sent again
 * written, and marked as idempotent                                      sent again
 * written                                                                rejects with unknown_outcome
 * ```
 */

import type { SharedBlob } from '../core/blobs.ts'
import { nowMs } from '../core/deadline.ts'
import { isPosternError, PosternError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'
import type { Peer } from '../core/stream.ts'
import { type BatchCall, certainlyUnrun } from './calling.ts'
import type { Caller } from './incoming-call.ts'
import type { CallOptions } from './pending-calls.ts'
import { pause, reconnectPauseMs } from './retry.ts'
import type { Session } from './session.ts'
import type { Subscription, SubscriptionHost } from './subscription.ts'

/** What a lasting session is told when it is made. */
export interface LastingSessionOptions {
  /** Names the other side in errors. */
  readonly address: string
  readonly limits: Limits
  /** Whether a lost connection is made again. */
  readonly reconnect: boolean
  /** Makes the next session, started and ready for calls. */
  readonly open: (signal: AbortSignal) => Promise<Session>
  /** The connection was lost; it is being made again. */
  readonly onDisconnect?: ((reason: PosternError) => void) | undefined
  /** It is back, and what was subscribed is being subscribed again. */
  readonly onReconnect?: (() => void) | undefined
  /** Told of what no caller is told. */
  readonly onError: (error: unknown, context: string) => void
  /** Between 0 and 1, as `Math.random`. */
  readonly random?: () => number
}

interface Waiter {
  readonly take: (session: Session) => void
  readonly fail: (reason: PosternError) => void
}

/** What a call that failed needs to be made again. */
interface Attempt {
  readonly method: string
  readonly params: unknown
  readonly options: CallOptions
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
  /** Sessions that it was tried on before. */
  readonly earlier: number
}

/** A session that lived this long was no failed attempt. */
const steadyMs = 200

export class LastingSession implements Caller, SubscriptionHost {
  /** Resolves when it is over for good, with the reason unless both sides ended in order or it was closed here. */
  readonly closed: Promise<PosternError | undefined>
  readonly #options: LastingSessionOptions
  readonly #stop = new AbortController()
  readonly #waiters = new Set<Waiter>()
  readonly #subscriptions = new Set<Subscription>()
  #resolveClosed: (reason: PosternError | undefined) => void = () => undefined
  #session: Session
  #sinceMs = nowMs()
  #failures = 0
  #lastSubscription = 0
  #unmatchedBefore = 0
  /** Why nothing is connected at the moment. */
  #lostReason: PosternError | undefined
  /** A session whose server takes no new calls. */
  #leaving: Session | undefined
  #leaveTimer: NodeJS.Timeout | undefined
  /** Why there will be no further session. */
  #ended: PosternError | undefined

  constructor(first: Session, options: LastingSessionOptions) {
    this.#options = options
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    this.#session = first
    this.#watch(first)
  }

  get maxBufferedItems(): number {
    return this.#options.limits.maxBufferedItems
  }

  /** Who serves, as the kernel says: of the last session, where there is none now. */
  get peer(): Peer {
    return this.#session.peer
  }

  /** Whether calls can be sent now, without waiting for a reconnect. */
  get connected(): boolean {
    return this.#session.open && this.#session !== this.#leaving
  }

  /** Answers that came for no call: too late, twice, or never asked for. */
  get unmatchedAnswers(): number {
    return this.#unmatchedBefore + this.#session.unmatchedAnswers
  }

  call(method: string, params?: unknown, options: CallOptions = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const session = this.#current()
      if (session === undefined) this.#again({ method, params, options, resolve, reject, earlier: 0 })
      else {
        session.request(method, params, options, (outcome) => {
          if ('error' in outcome)
            this.#failed(session, { method, params, options, resolve, reject, earlier: 0 }, outcome.error)
          else resolve(outcome.value)
        })
      }
    })
  }

  async notify(method: string, params?: unknown): Promise<void> {
    const session = this.#current() ?? (await this.#next(method, {}))
    await session.notify(method, params)
  }

  async batch(calls: readonly BatchCall[], options: CallOptions = {}): Promise<PromiseSettledResult<unknown>[]> {
    const session = this.#current() ?? (await this.#next('batch', options))
    return await session.batch(calls, options)
  }

  /** As `Session.blob`, of the connection that there is, or the next one. */
  async blob(bytes: number): Promise<SharedBlob> {
    const session = this.#current() ?? (await this.#next('blob', {}))
    return session.blob(bytes)
  }

  join(subscription: Subscription): string {
    if (this.#ended !== undefined) throw this.#over('subscribe', this.#ended)
    const { maxSubscriptions } = this.#options.limits
    if (this.#subscriptions.size >= maxSubscriptions) {
      throw new PosternError(
        'limit_exceeded',
        `more subscriptions than limits.maxSubscriptions (${maxSubscriptions})`,
        {
          details: { limit: 'maxSubscriptions', value: maxSubscriptions },
        },
      )
    }
    this.#subscriptions.add(subscription)
    if (this.connected) this.#session.bind(subscription)
    else this.expect(subscription)
    return `0x${(++this.#lastSubscription).toString(16)}`
  }

  expect(subscription: Subscription): void {
    this.#next('subscribe', {}).catch((error: PosternError) => subscription.late(error))
  }

  refused(): void {
    if (this.#session.open) this.#leave(this.#session)
  }

  leave(subscription: Subscription): void {
    this.#subscriptions.delete(subscription)
  }

  returns(): boolean {
    return this.#options.reconnect && this.#ended === undefined
  }

  /** As `Session.close`; what waits for a connection rejects. */
  async close(): Promise<void> {
    const reason = new PosternError('closed', 'the connection was closed here')
    this.#end(reason)
    // While the server can still be told, which else keeps the connection open for them.
    for (const subscription of [...this.#subscriptions]) subscription.close(reason)
    if (!this.#session.over) await this.#session.close()
    this.#resolveClosed(undefined)
  }

  /** As `Session.abort`. */
  abort(reason: PosternError = new PosternError('closed', 'the connection was dropped here')): void {
    this.#end(reason)
    if (!this.#session.over) this.#session.abort(reason)
    else this.#resolveClosed(reason)
  }

  /** The session to use, if any; the last one where there will be no other, since it says best why. */
  #current(): Session | undefined {
    return this.connected || !this.returns() ? this.#session : undefined
  }

  #failed(session: Session, attempt: Attempt, error: Error): void {
    const { options, reject, earlier } = attempt
    const mayRepeat = certainlyUnrun(error) || (options.idempotent === true && isPosternError(error, 'unknown_outcome'))
    if (!mayRepeat || !this.returns() || options.signal?.aborted === true || earlier >= this.#options.limits.retries) {
      reject(error)
      return
    }
    // A server that is closing says so before the connection ends.
    if (session.open) this.#leave(session)
    this.#again({ ...attempt, earlier: earlier + 1 })
  }

  #again(attempt: Attempt): void {
    const { method, params, options, resolve, reject } = attempt
    this.#next(method, options)
      .then((session) => {
        session.request(method, params, options, (outcome) => {
          if ('error' in outcome) this.#failed(session, attempt, outcome.error)
          else resolve(outcome.value)
        })
      })
      .catch(reject)
  }

  /** The next session that can be used. Rejects after `connectMs`, or before, when it is certain that none comes. */
  #next(method: string, { signal, timeoutMs }: CallOptions): Promise<Session> {
    const { limits } = this.#options
    return new Promise((resolve, reject) => {
      const current = this.#current()
      if (current !== undefined) {
        resolve(current)
        return
      }
      if (this.#waiters.size >= limits.maxPending) {
        const sentence = `${method}: more calls and notes wait than limits.maxPending (${limits.maxPending})`
        reject(
          new PosternError('limit_exceeded', sentence, { details: { limit: 'maxPending', value: limits.maxPending } }),
        )
        return
      }
      const settle = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
        this.#waiters.delete(waiter)
      }
      const waiter: Waiter = {
        take: (session) => {
          settle()
          resolve(session)
        },
        fail: (reason) => {
          settle()
          reject(reason)
        },
      }
      const abort = (): void =>
        waiter.fail(new PosternError('cancelled', `${method} was cancelled by its caller`, { cause: signal?.reason }))
      const waitMs = Math.min(limits.connectMs, timeoutMs ?? limits.connectMs)
      const timer = setTimeout(() => waiter.fail(this.#late(method, waitMs)), waitMs)
      this.#waiters.add(waiter)
      if (signal?.aborted === true) abort()
      else signal?.addEventListener('abort', abort, { once: true })
    })
  }

  #watch(session: Session): void {
    void session.closed.then((reason) => this.#lost(reason))
  }

  #lost(reason: PosternError | undefined): void {
    clearTimeout(this.#leaveTimer)
    // Who may not use the address may not a moment later.
    if (!this.returns() || reason?.code === 'permission_denied') {
      this.#end(reason ?? new PosternError('closed', `the connection to ${this.#options.address} has ended`))
      this.#endSubscriptions(this.#ended ?? new PosternError('closed', 'the connection has ended'))
      this.#resolveClosed(reason)
      return
    }
    if (nowMs() - this.#sinceMs >= steadyMs) this.#failures = 0
    this.#lostReason = reason ?? new PosternError('closed', `${this.#options.address} ended the connection`)
    this.#guard(() => this.#options.onDisconnect?.(this.#lostReason as PosternError))
    void this.#reconnect()
  }

  async #reconnect(): Promise<void> {
    const { limits, open, random = Math.random } = this.#options
    for (;;) {
      try {
        await pause(reconnectPauseMs(this.#failures++, limits, random), this.#stop.signal)
        this.#adopt(await open(this.#stop.signal))
        return
      } catch (error) {
        if (this.#ended !== undefined) return
        const failure = isPosternError(error) ? error : new PosternError('internal', String(error), { cause: error })
        this.#lostReason = failure
        if (failure.retryable || failure.code === 'deadline_exceeded') continue
        this.#end(failure)
        this.#resolveClosed(failure)
        return
      }
    }
  }

  #adopt(session: Session): void {
    if (this.#ended !== undefined) {
      session.abort(this.#ended)
      throw this.#ended
    }
    this.#unmatchedBefore += this.#session.unmatchedAnswers
    this.#session = session
    this.#sinceMs = nowMs()
    this.#lostReason = undefined
    this.#watch(session)
    for (const subscription of [...this.#subscriptions]) session.bind(subscription)
    for (const waiter of [...this.#waiters]) waiter.take(session)
    this.#guard(() => this.#options.onReconnect?.())
  }

  /** No further session; what waits for one is told. */
  #end(reason: PosternError): void {
    if (this.#ended !== undefined) return
    this.#ended = reason
    this.#stop.abort(reason)
    for (const waiter of [...this.#waiters]) waiter.fail(this.#over('the call', reason))
    if (this.#session.over) this.#endSubscriptions(reason)
  }

  /** Those that stand on no session, and so hear of its end from nobody. */
  #endSubscriptions(reason: PosternError): void {
    for (const subscription of [...this.#subscriptions]) subscription.close(reason)
  }

  /** The server takes no new calls. It ends the session when those that run are done; it has not for ever. */
  #leave(session: Session): void {
    if (this.#leaving === session) return
    this.#leaving = session
    const { drainMs } = this.#options.limits
    const reason = new PosternError('closed', `${this.#options.address} said that it closes, and has not`)
    this.#leaveTimer = setTimeout(() => session.abort(reason), 2 * drainMs)
  }

  #guard(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#options.onError(error, this.#options.address)
    }
  }

  #over(what: string, reason: PosternError): PosternError {
    return new PosternError('closed', `${what}: ${reason.sentence}`, { cause: reason })
  }

  #late(method: string, waitMs: number): PosternError {
    const reason = this.#lostReason
    const why = reason === undefined ? '' : `: ${reason.sentence}`
    return new PosternError(
      'closed',
      `${method}: no connection to ${this.#options.address} came back within ${waitMs} ms${why}`,
      {
        cause: reason,
      },
    )
  }
}
