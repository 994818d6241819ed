/**
 * One conversation over one channel: the calls of both sides, until the channel ends and every promise has settled.
 */

import type { Integers } from '../codecs/codec.ts'
import type { Channel } from '../core/channel.ts'
import { isPosternError, PosternError } from '../core/errors.ts'
import type { Frame } from '../core/frame.ts'
import type { Limits } from '../core/limits.ts'
import type { Peer } from '../core/stream.ts'
import { wireError } from '../protocols/json-rpc-codes.ts'
import { type Batch, type ErrorMessage, errorAnswer, type Incoming, type NoteMessage } from '../protocols/message.ts'
import type { Protocol, ReadOptions } from '../protocols/protocol.ts'
import { type BatchCall, Calling } from './calling.ts'
import { type CallHandler, type Caller, refusal } from './incoming-call.ts'
import type { CallOptions } from './pending-calls.ts'
import { sendOrCut, Serving } from './serving.ts'
import type { Subscription, SubscribeOptions } from './subscription.ts'

/** What a session is told when it is made. */
export interface SessionOptions {
  /** A server says why it ends a conversation that makes no sense; a client drops it and tells its callers. */
  readonly side: 'server' | 'client'
  /** Names the other side in errors. */
  readonly address: string
  readonly protocol: Protocol
  readonly limits: Limits
  /** How unsafe whole numbers in answers are given. */
  readonly integers: Integers
  /** Answers the calls of the other side; without one every call is `unknown_method`. */
  readonly handler?: CallHandler
  /** Whether the other side is known to be Postern, so that `rpc.*` may be sent. */
  readonly postern: boolean
  /** Told of what no caller is told: exceptions of handlers, and errors that name no call. */
  readonly onError: (error: unknown, context: string) => void
}

/** How long a session that has said its last word waits for the other side to close. */
const lingerMs = 500

/** How often a session whose peer only reads makes sure that it still does. */
const probeMs = 1_000

const cancelMethods: ReadonlySet<string> = new Set(['rpc.cancel', '$/cancelRequest'])

export class Session implements Caller {
  /** Resolves when the connection is over, with the reason unless both sides ended in order. */
  readonly closed: Promise<PosternError | undefined>
  readonly #channel: Channel
  readonly #options: SessionOptions
  readonly #calling: Calling
  readonly #serving: Serving
  /** Calls must be exact to the last digit; answers that are not are read once more as their caller wants. */
  readonly #reading: ReadOptions
  readonly #resolveClosed: (reason: PosternError | undefined) => void
  /** The channel ends as soon as nothing is under way. */
  #closing = false
  /** No new calls are taken, and `drainMs` runs. */
  #finishing = false
  #ended = false
  #over = false
  /** Why the connection ends, where that was known before it did. */
  #reason: PosternError | undefined
  #lastTimer: NodeJS.Timeout | undefined
  #probeTimer: NodeJS.Timeout | undefined

  constructor(channel: Channel, options: SessionOptions) {
    this.#channel = channel
    this.#options = options
    this.#reading = { limits: options.limits, integers: 'error' }
    let resolveClosed: (reason: PosternError | undefined) => void = () => undefined
    this.closed = new Promise((resolve) => {
      resolveClosed = resolve
    })
    this.#resolveClosed = resolveClosed
    const onIdle = (): void => this.#endIfIdle()
    this.#calling = new Calling({ ...options, channel, onIdle })
    this.#serving = new Serving({ ...options, channel, onIdle, handler: options.handler ?? serveNothing, client: this })
  }

  get peer(): Peer {
    return this.#channel.peer
  }

  /** Answers that came for no call: too late, twice, or never asked for. */
  get unmatchedAnswers(): number {
    return this.#calling.unmatchedAnswers
  }

  /** Begins the conversation. Called exactly once. */
  start(): void {
    this.#channel.start({
      frame: (frame) => this.#frame(frame),
      progress: (head, bytes) => this.#calling.progress(head, bytes),
      fault: (error) => this.#fault(error),
      drain: () => this.#drained(),
      end: () => this.#peerEnded(),
      finished: () => this.#abortAfter(lingerMs),
      close: (reason) => this.#closed(reason),
    })
  }

  call(method: string, params?: unknown, options: CallOptions = {}): Promise<unknown> {
    return this.#calling.call(method, params, options)
  }

  notify(method: string, params?: unknown): Promise<void> {
    return this.#calling.notify(method, params)
  }

  batch(calls: readonly BatchCall[], options: CallOptions = {}): Promise<PromiseSettledResult<unknown>[]> {
    return this.#calling.batch(calls, options)
  }

  subscribe(method: string, params?: unknown, options: SubscribeOptions = {}): Subscription {
    return this.#calling.subscribe(method, params, options)
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
    this.#calling.refuseNew(reason ?? new PosternError('closed', 'the connection was dropped here'))
    this.#channel.abort(reason)
  }

  #frame(frame: Frame): void {
    const { integers, limits, protocol } = this.#options
    let incoming: Incoming
    try {
      incoming = protocol.read(frame, this.#calling.wantsRaw(frame) ? { limits, integers, raw: true } : this.#reading)
    } catch (error) {
      if (isPosternError(error, 'bad_message')) this.#inexact(frame, error)
      else this.#fault(error as PosternError)
      return
    }
    this.#take(incoming, frame.length)
  }

  /** Four kinds of message, alone or in a batch. */
  #take(incoming: Incoming, bytes: number): void {
    switch (incoming.kind) {
      case 'call':
        this.#serving.take(incoming, bytes)
        return
      case 'result':
      case 'error':
        this.#calling.answer(incoming)
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
    if (cancelMethods.has(note.method)) this.#serving.cancel((note.params as { id?: unknown } | undefined)?.id)
    else if (!this.#calling.notice(note.params)) this.#serving.take(note, bytes)
  }

  #batch(batch: Batch, bytes: number): void {
    for (const message of batch.messages) {
      if (message.kind === 'result' || message.kind === 'error') this.#calling.answer(message)
      else if (message.kind === 'note') this.#note(message, Math.ceil(bytes / batch.messages.length))
    }
    this.#serving.takeBatch(batch, bytes)
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

  /** A frame with numbers that a double cannot hold: an answer is given as its caller wants it, a call is refused. */
  #inexact(frame: Frame, error: PosternError): void {
    const { address, limits, onError, protocol } = this.#options
    let rounded: Incoming
    try {
      rounded = protocol.read(frame, { limits, integers: 'number' })
    } catch {
      // Beyond any number: whose it is can still be seen from its beginning.
      const id = protocol.peekId(frame.bytes) ?? null
      if (!this.#calling.refuse(id, error)) this.#say(errorAnswer(id, wireError('invalid_params', error.sentence)))
      return
    }
    switch (rounded.kind) {
      case 'call':
        this.#say(errorAnswer(rounded.id, wireError('invalid_params', error.sentence)))
        return
      case 'note':
        if (!this.#exactNotice(frame)) onError(error, address)
        return
      case 'result':
      case 'error':
        this.#exactAnswers(frame, [rounded])
        return
      case 'batch':
        this.#inexactBatch(frame, rounded, error)
        return
      case 'invalid':
        this.#take(rounded, frame.length)
    }
  }

  /** Of a batch the answers are given as their callers want them, and every call is refused. */
  #inexactBatch(frame: Frame, { messages }: Batch, error: PosternError): void {
    this.#exactAnswers(frame, messages)
    for (const message of messages) {
      if (message.kind === 'call') this.#say(errorAnswer(message.id, wireError('invalid_params', error.sentence)))
    }
  }

  /** Reads answers once more as their callers want them; those of which that cannot be done fail. */
  #exactAnswers(frame: Frame, rounded: Batch['messages']): void {
    const { integers, limits, protocol } = this.#options
    try {
      const exact = protocol.read(frame, { limits, integers })
      for (const message of exact.kind === 'batch' ? exact.messages : [exact]) {
        if (message.kind === 'result' || message.kind === 'error') this.#calling.answer(message)
      }
    } catch (unreadable) {
      for (const message of rounded) {
        if (message.kind === 'result' || message.kind === 'error')
          this.#calling.refuse(message.id, unreadable as PosternError)
      }
    }
  }

  /** An item of a subscription is given as answers are; false for a note that is none. */
  #exactNotice(frame: Frame): boolean {
    const { integers, limits, protocol } = this.#options
    try {
      const note = protocol.read(frame, { limits, integers })
      return note.kind === 'note' && this.#calling.notice(note.params)
    } catch {
      return false
    }
  }

  #say(answer: ErrorMessage): void {
    sendOrCut(this.#channel, this.#options.protocol.write(answer))
  }

  #drained(): void {
    this.#serving.drained()
    this.#calling.drained()
  }

  /** What arrives makes no sense any more. */
  #fault(error: PosternError): void {
    if (this.#over || this.#reason !== undefined) return
    this.#reason = error
    if (this.#options.side === 'client' || error.code === 'closed') this.#channel.abort(error)
    else {
      this.#say(errorAnswer(null, wireError(error.code, error.sentence)))
      this.#calling.stop(error)
      this.#finishWork()
      this.#endIfIdle()
    }
  }

  /** The other side says no more; a server still answers what it was asked. */
  #peerEnded(): void {
    this.#calling.stop(this.#reason ?? new PosternError('closed', `${this.#options.address} ended the connection`))
    if (this.#over) return
    // A peer that was killed and one that has only finished asking look the same until something is written.
    this.#probeTimer = setInterval(() => this.#channel.send(''), probeMs)
    this.#probeTimer.unref()
    this.#closing = true
    this.#endIfIdle()
  }

  #finishWork(): void {
    if (this.#finishing || this.#over) return
    this.#finishing = true
    this.#closing = true
    this.#serving.stop()
    this.#calling.refuseNew(this.#reason ?? new PosternError('closed', 'the connection was closed here'))
    if (!this.#ended) this.#abortAfter(this.#options.limits.drainMs)
  }

  /** Ends the channel when nothing is under way any more; from then on only what is queued has to leave. */
  #endIfIdle(): void {
    if (!this.#closing || this.#ended || this.#over || !this.#serving.idle || !this.#calling.idle) return
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
    const why = this.#reason ?? reason
    const error = why ?? new PosternError('closed', `the connection to ${this.#options.address} has ended`)
    this.#calling.stop(error)
    this.#serving.abandon(error)
    this.#resolveClosed(why)
  }
}

const serveNothing: CallHandler = ({ id, method }) => {
  if (id !== undefined) throw refusal('unknown_method', `no method ${JSON.stringify(method)}: nothing is served here`)
}
