/**
 * One conversation over one channel: the calls of both sides, until the channel ends and every promise has settled.
 */

import type { SharedBlob } from '../core/blobs.ts'
import type { Channel } from '../core/channel.ts'
import { isPosternError, PosternError } from '../core/errors.ts'
import type { Frame } from '../core/frame.ts'
import type { Peer } from '../core/stream.ts'
import { wireError } from '../protocols/json-rpc-codes.ts'
import {
  type Batch,
  type ErrorMessage,
  errorAnswer,
  type Id,
  type Incoming,
  namedParams,
  type NoteMessage,
} from '../protocols/message.ts'
import type { ReadOptions } from '../protocols/protocol.ts'
import { type BatchCall, Calling } from './calling.ts'
import type { Caller } from './incoming-call.ts'
import type { CallOptions, Outcome } from './pending-calls.ts'
import { Heartbeat, silenceOf } from './heartbeat.ts'
import { InexactFrames } from './inexact-frames.ts'
import { sendOrCut, Serving } from './serving.ts'
import type { SessionOptions } from './session-options.ts'
import { makeBlob, withBlobs } from './session-blobs.ts'
import { lingerMs, probeMs, quietMs } from './session-times.ts'
import { Silence } from './silence.ts'
import type { Subscription, SubscriptionHost } from './subscription.ts'

const cancelMethods: ReadonlySet<string> = new Set(['rpc.cancel', '$/cancelRequest'])

export class Session implements Caller, SubscriptionHost {
  /** Resolves when the connection is over, with the reason unless both sides ended in order. */
  readonly closed: Promise<PosternError | undefined>
  readonly #channel: Channel
  readonly #options: SessionOptions
  /** Made when first needed: most servers never call back. */
  #calling: Calling | undefined
  readonly #serving: Serving
  /** Calls must be exact to the last digit; answers that are not are read once more as their caller wants. */
  readonly #reading: ReadOptions
  #resolveClosed: (reason: PosternError | undefined) => void = () => undefined
  /** The channel ends as soon as nothing is under way. */
  #closing = false
  /** No new calls are taken, and `drainMs` runs. */
  #finishing = false
  #ended = false
  #over = false
  /** Nothing more is to be expected from it. */
  #quiet = false
  #silence: Silence | undefined
  /** Why nothing new can be called, and why nothing is answered any more. */
  #refusing: PosternError | undefined
  #stopped: PosternError | undefined
  /** Why the connection ends, where that was known before it did. */
  #reason: PosternError | undefined
  /** A token is required and has not been shown. */
  #locked: boolean
  #lastSubscription = 0
  #heartbeat: Heartbeat | undefined
  #lastTimer: NodeJS.Timeout | undefined
  #probeTimer: NodeJS.Timeout | undefined

  constructor(channel: Channel, given: SessionOptions) {
    const options = { ...given, protocol: withBlobs(given.protocol, channel) }
    this.#channel = channel
    this.#options = options
    this.#reading = {
      limits: options.limits,
      integers: options.protocol.exactIntegers ? options.integers : 'error',
    }
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    this.#locked = options.authenticate !== undefined
    const { handler, clientOf, protocol, limits, address, onError } = options
    const client = clientOf?.(this) ?? this
    const onIdle = (): void => this.#endIfIdle()
    this.#serving = new Serving({ channel, protocol, limits, address, handler, client, onError, onIdle })
  }

  get peer(): Peer {
    return this.#channel.peer
  }

  /** Answers that came for no call: too late, twice, or never asked for. */
  get unmatchedAnswers(): number {
    return this.#calling?.unmatchedAnswers ?? 0
  }

  /** Begins the conversation. Called exactly once. */
  start(): void {
    this.#channel.start({
      frame: (frame) => this.#frame(frame),
      progress: (head, bytes) => {
        this.#heartbeat?.heard()
        this.#calling?.progress(head, bytes)
      },
      fault: (error) => this.#fault(error),
      drain: () => {
        this.#serving.drained()
        this.#calling?.drained()
      },
      end: () => this.#peerEnded(),
      finished: () => this.#abortAfter(lingerMs),
      close: (reason) => this.#closed(reason),
    })
  }

  call(method: string, params?: unknown, options: CallOptions = {}): Promise<unknown> {
    return this.#asking().call(method, params, options)
  }

  notify(method: string, params?: unknown): Promise<void> {
    return this.#asking().notify(method, params)
  }

  batch(calls: readonly BatchCall[], options: CallOptions = {}): Promise<PromiseSettledResult<unknown>[]> {
    return this.#asking().batch(calls, options)
  }

  /** Like `call`, but tells the outcome within the frame that brought it. */
  request(method: string, params: unknown, options: CallOptions, settle: (outcome: Outcome) => void): void {
    this.#asking().request(method, params, options, settle)
  }

  /** Whether the channel has ended. */
  get over(): boolean {
    return this.#over
  }

  /** Whether calls can be sent and will be answered, as far as is known. */
  get open(): boolean {
    return !this.#over && this.#stopped === undefined && this.#refusing === undefined
  }

  get maxBufferedItems(): number {
    return this.#options.limits.maxBufferedItems
  }

  /** Subscribes on this session. */
  bind(subscription: Subscription): void {
    subscription.bind(this.#asking())
  }

  /** Looks after the peer, where that is Postern, as long as there are subscriptions. */
  #watchPeer(): void {
    if (!this.#options.postern || this.#over) return
    this.#heartbeat ??= new Heartbeat({
      heartbeatMs: this.#options.limits.heartbeatMs,
      wanted: () => this.#asking().subscriptions.size > 0,
      ask: () => this.#asking().request('rpc.ping', undefined, {}, () => undefined),
      onDead: () => this.abort(silenceOf(this.#options)),
    })
    this.#heartbeat.start()
  }

  /** Memory that can be handed over. Throws `not_supported` where nothing can. */
  blob(bytes: number): SharedBlob {
    return makeBlob(this.#channel, this.#options, bytes)
  }

  join(subscription: Subscription): string {
    this.bind(subscription)
    return String(++this.#lastSubscription)
  }

  // A session is one connection: nothing comes behind it that would need these.
  leave(): void {}
  expect(): void {}
  refused(): void {}

  returns(): boolean {
    return false
  }

  /**
   * Takes no more calls, waits up to `limits.drainMs` for those under way, then sends what is queued and ends the
   * connection. Idempotent.
   */
  async close(): Promise<void> {
    this.#finishWork()
    this.#endIfIdle()
    await this.closed
  }

  /** Ends the connection at once. */
  abort(reason?: PosternError): void {
    this.#reason ??= reason
    this.#refuseCalls(reason ?? new PosternError('closed', 'the connection was dropped here'))
    this.#channel.abort(reason)
  }

  #frame(frame: Frame): void {
    this.#silence?.broken()
    this.#heartbeat?.heard()
    const { integers, limits, protocol } = this.#options
    let incoming: Incoming
    try {
      incoming = protocol.read(
        frame,
        this.#calling?.wantsRaw(frame) === true ? { limits, integers, raw: true } : this.#reading,
      )
    } catch (error) {
      if (this.#locked) this.#refuseLocked(null)
      else if (isPosternError(error, 'bad_message')) this.#takeInexact(frame, error)
      else this.#fault(isPosternError(error) ? error : this.#defect(error))
      return
    }
    this.#take(incoming, frame.length)
  }

  /** What a frame does that nothing should: the peer is told that it was we. */
  #defect(error: unknown): PosternError {
    this.#options.onError(error, this.#options.address)
    return new PosternError('internal', 'a frame could not be read', { cause: error })
  }

  #asking(): Calling {
    if (this.#calling !== undefined) return this.#calling
    const calling = new Calling({
      ...this.#options,
      channel: this.#channel,
      onIdle: () => this.#endIfIdle(),
      onSubscribe: () => this.#watchPeer(),
    })
    if (this.#refusing !== undefined) calling.refuseNew(this.#refusing)
    if (this.#stopped !== undefined) calling.stop(this.#stopped)
    this.#calling = calling
    return calling
  }

  #refuseCalls(reason: PosternError): void {
    this.#refusing ??= reason
    this.#calling?.refuseNew(reason)
  }

  #stopCalling(reason: PosternError): void {
    this.#stopped ??= reason
    this.#calling?.stop(reason)
  }

  #takeInexact(frame: Frame, error: PosternError): void {
    const say = (answer: ErrorMessage): void => this.#say(answer)
    const invalid = (answer: ErrorMessage): void => this.#invalid(answer)
    new InexactFrames({ ...this.#options, calling: this.#asking(), say, invalid }).take(frame, error)
  }

  /** Four kinds of message, alone or in a batch. */
  #take(incoming: Incoming, bytes: number): void {
    if (this.#locked) {
      this.#unlock(incoming)
      return
    }
    switch (incoming.kind) {
      case 'call':
        this.#serving.take(incoming, bytes)
        return
      case 'result':
      case 'error':
        this.#asking().answer(incoming, bytes)
        return
      case 'note':
        this.#note(incoming, bytes)
        return
      case 'batch':
        this.#batch(incoming, bytes)
        return
      case 'invalid':
        this.#invalid(incoming.answer)
    }
  }

  #note(note: NoteMessage, bytes: number): void {
    if (cancelMethods.has(note.method)) this.#serving.cancel(namedParams(note.params)['id'])
    else if (note.method === 'rpc.credit') this.#serving.credit(note.params)
    else if (this.#calling?.notice(note) !== true) this.#serving.take(note, bytes)
  }

  #batch(batch: Batch, bytes: number): void {
    const each = Math.ceil(bytes / batch.messages.length)
    for (const message of batch.messages) {
      if (message.kind === 'result' || message.kind === 'error') this.#asking().answer(message, each)
      else if (message.kind === 'note') this.#note(message, each)
    }
    this.#serving.takeBatch(batch, bytes)
  }

  /** Nothing is said, done or told to who has not shown the token; one wrong attempt is the last. */
  #unlock(incoming: Incoming): void {
    const id = incoming.kind === 'call' ? incoming.id : null
    const shown = incoming.kind === 'call' && incoming.method === 'rpc.auth' ? incoming.params : undefined
    if (!this.#finishing && Array.isArray(shown) && this.#options.authenticate?.(shown[0]) === true) {
      this.#locked = false
      this.#channel.send(this.#options.protocol.write({ kind: 'result', id, value: true }))
      this.#options.onAuthenticated?.()
    } else this.#refuseLocked(id)
  }

  #refuseLocked(id: Id): void {
    if (this.#finishing) return
    const error = new PosternError('permission_denied', `the first call here is rpc.auth with this server's token`)
    this.#reason ??= error
    this.#quiet = true
    this.#say(errorAnswer(id, wireError(error.code, error.sentence)))
    this.#finishWork()
    this.#endIfIdle()
  }

  #invalid(answer: ErrorMessage): void {
    const { side, address, onError } = this.#options
    if (side === 'server') this.#say(answer)
    else
      onError(
        new PosternError('bad_message', `${address} sent a frame that is no answer (${answer.error.message})`),
        address,
      )
  }

  #say(answer: ErrorMessage): void {
    sendOrCut(this.#channel, this.#options.protocol.write(answer))
  }

  /** What arrives makes no sense any more. */
  #fault(error: PosternError): void {
    if (this.#over || this.#reason !== undefined) return
    this.#reason = error
    this.#quiet = true
    if (this.#options.side === 'client' || error.code === 'closed') this.#channel.abort(error)
    else {
      this.#say(errorAnswer(null, wireError(error.code, error.sentence)))
      this.#stopCalling(error)
      this.#finishWork()
      this.#endIfIdle()
    }
  }

  /** The other side says no more; a server still answers what it was asked. */
  #peerEnded(): void {
    this.#stopCalling(this.#reason ?? new PosternError('closed', `${this.#options.address} ended the connection`))
    if (this.#over) return
    // A peer that was killed and one that has only finished asking look the same until something is written.
    this.#probeTimer = setInterval(() => this.#channel.send(this.#options.probe ?? ''), probeMs)
    this.#probeTimer.unref()
    this.#closing = true
    this.#quiet = true
    // A client that still runs what it was asked gives it the time of a close; a server serves who only reads.
    if (this.#options.side === 'client') this.#abortAfter(this.#options.limits.drainMs)
    this.#endIfIdle()
  }

  #finishWork(): void {
    if (this.#finishing || this.#over) return
    this.#finishing = true
    this.#closing = true
    this.#serving.stop()
    this.#refuseCalls(this.#reason ?? new PosternError('closed', 'the connection was closed here'))
    if (!this.#ended) this.#abortAfter(this.#options.limits.drainMs)
  }

  /** Ends the channel when nothing is under way any more; from then on only what is queued has to leave. */
  #endIfIdle(): void {
    if (!this.#closing || this.#ended || this.#over || !this.#serving.idle || this.#calling?.idle === false) return
    if (this.#finishing && !this.#quiet && this.#options.side === 'server') {
      this.#silence ??= new Silence(quietMs, () => {
        this.#quiet = true
        this.#endIfIdle()
      })
      return
    }
    this.#ended = true
    clearTimeout(this.#lastTimer)
    this.#channel.end()
  }

  #abortAfter(ms: number): void {
    clearTimeout(this.#lastTimer)
    this.#lastTimer = setTimeout(() => this.#channel.abort(this.#reason), ms)
  }

  #closed(reason: PosternError | undefined): void {
    this.#over = true
    clearTimeout(this.#lastTimer)
    clearInterval(this.#probeTimer)
    this.#silence?.stop()
    this.#heartbeat?.stop()
    const why = this.#reason ?? reason
    const error = why ?? new PosternError('closed', `the connection to ${this.#options.address} has ended`)
    this.#stopCalling(error)
    this.#serving.abandon(error)
    this.#resolveClosed(why)
  }
}
