/**
 * The asking half of a session: sends calls, notes and batches, and gives each answer to the call that waits for it.
 */

import { type Integers, RawValue } from '../codecs/codec.ts'
import type { Channel, OutgoingFrame } from '../core/channel.ts'
import { type ErrorCode, isPosternError, PosternError } from '../core/errors.ts'
import type { Frame } from '../core/frame.ts'
import type { Limits } from '../core/limits.ts'
import { errorFromWire, saysClosing } from '../protocols/json-rpc-codes.ts'
import type { ErrorMessage, Id, NoteMessage, ResultMessage, WireError } from '../protocols/message.ts'
import type { Protocol } from '../protocols/protocol.ts'
import { type CallOptions, type Outcome, type PendingCall, PendingCalls } from './pending-calls.ts'
import type { CancelMethod } from './session-options.ts'
import { readNotice, Subscriptions } from './subscriptions.ts'
import { frameBytes, isTraced, Tracing } from './tracing.ts'
import { type Waiting, WaitingRoom } from './waiting-room.ts'

/** What calling needs of its session. */
export interface CallingOptions {
  readonly channel: Channel
  readonly protocol: Protocol
  readonly limits: Limits
  /** Names the other side in errors. */
  readonly address: string
  /** How unsafe whole numbers in answers are given. */
  readonly integers: Integers
  /** Whether the other side is known to be Postern, so that `rpc.*` may be sent. */
  readonly postern: boolean
  /** The note that takes a call back; default `rpc.cancel` where the other side is Postern, else none. */
  readonly cancelMethod?: CancelMethod | undefined
  /** Told of errors that name no call; other answers that nobody waits for are late ones, and counted. */
  readonly onError: (error: unknown, context: string) => void
  /** Called when the last pending call has settled. */
  readonly onIdle: () => void
  /** Called when there is about to be one more subscription. */
  readonly onSubscribe: () => void
}

/** One call of a batch. */
export type BatchCall = readonly [method: string, params?: unknown]

/** Whether a call that failed has certainly not run: not a byte of it was written, or a closing server refused it. */
export function certainlyUnrun(error: Error): boolean {
  if (!isPosternError(error, 'closed')) return false
  return error.details === undefined || saysClosing(error.details as WireError)
}

/** What a reason says of the calls that were written: more than that their outcome is unknown. */
const tellingCodes: ReadonlySet<ErrorCode> = new Set([
  'bad_frame',
  'bad_message',
  'unsupported_protocol',
  'frame_too_large',
  'limit_exceeded',
  // Who may not use an address is told before anything is read.
  'permission_denied',
])

export class Calling {
  readonly subscriptions: Subscriptions
  readonly #options: CallingOptions
  readonly #pending: PendingCalls
  /** The calls of each batch that has not been answered. */
  readonly #batches = new Set<readonly PendingCall[]>()
  readonly #waiting: WaitingRoom
  #unmatchedAnswers = 0
  /** Why nothing is answered any more. */
  #stopped: PosternError | undefined
  /** Why nothing new can be called, though calls that wait may still be answered. */
  #refusing: PosternError | undefined

  constructor(options: CallingOptions) {
    this.#options = options
    this.#pending = new PendingCalls(options.protocol.maxId, (call) => this.#tellCancelled(call))
    this.subscriptions = new Subscriptions({ ...options, onExpect: options.onSubscribe })
    this.#waiting = new WaitingRoom(options.channel)
  }

  /** Whether nothing waits to be sent or to be answered. */
  get idle(): boolean {
    return this.#pending.size === 0 && this.#waiting.size === 0
  }

  /** Answers that came for no call: too late, twice, or never asked for. */
  get unmatchedAnswers(): number {
    return this.#unmatchedAnswers
  }

  /** Whether the other side is known to be Postern. */
  get postern(): boolean {
    return this.#options.postern
  }

  /** Why nothing is answered any more; undefined while answers may come. */
  get stopped(): PosternError | undefined {
    return this.#stopped
  }

  /** Whether a call can be sent now. */
  get open(): boolean {
    return this.#stopped === undefined && this.#refusing === undefined
  }

  call(method: string, params: unknown, options: CallOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.request(method, params, options, settler(resolve, reject))
    })
  }

  /** Like `call`, but tells the outcome within the frame that brought it. */
  request(method: string, params: unknown, options: CallOptions, settle: (outcome: Outcome) => void): void {
    const call = this.#register(method, options, settle)
    if (call === undefined) return
    if (this.#waiting.hasRoom) this.#sendCall(call, params)
    else {
      this.#waiting.add({
        wanted: () => this.#pending.get(call.id) === call,
        send: () => this.#sendCall(call, params),
      })
    }
  }

  async notify(method: string, params: unknown): Promise<void> {
    checkMethod(method)
    const ended = this.#stopped ?? this.#refusing
    if (ended !== undefined) throw this.#notWritten(method, ended)
    const { channel, limits, protocol } = this.#options
    if (this.#waiting.size >= limits.maxPending) throw tooManyPending(method, limits.maxPending)
    const frame = protocol.write({ kind: 'note', method, params })
    await new Promise<void>((resolve, reject) => {
      const wanted = (): boolean => {
        if (this.#stopped === undefined) return true
        reject(this.#notWritten(method, this.#stopped))
        return false
      }
      const send = (): void => {
        channel.send(frame)
        resolve()
      }
      this.#whenRoom({ wanted, send })
    })
  }

  batch(calls: readonly BatchCall[], options: CallOptions): Promise<PromiseSettledResult<unknown>[]> {
    if (calls.length === 0) throw new TypeError('a batch has at least one call')
    const { writeBatch } = this.#options.protocol
    if (writeBatch === undefined)
      return Promise.allSettled(calls.map(([method, params]) => this.call(method, params, options)))
    const group: PendingCall[] = []
    const frames: OutgoingFrame[] = []
    const outcomes = calls.map(
      ([method, params]) =>
        new Promise((resolve, reject) => {
          const call = this.#register(method, options, settler(resolve, reject))
          const frame = call && this.#write(call, params)
          if (call === undefined || frame === undefined) return
          group.push(call)
          frames.push(frame)
        }),
    )
    const settled = Promise.allSettled(outcomes)
    if (group.length === 0) return settled
    this.#batches.add(group)
    const wanted = (): boolean => group.some(({ id }) => this.#pending.get(id) !== undefined)
    this.#whenRoom({ wanted, send: () => this.#send(writeBatch(frames), group) })
    return settled.finally(() => this.#batches.delete(group))
  }

  /** Sends a note of the session's own at once. Whoever calls this bounds how many there are. */
  tell(method: string, params: unknown): void {
    const { channel, protocol } = this.#options
    channel.send(protocol.write({ kind: 'note', method, params }))
  }

  /** The channel has room again. */
  drained(): void {
    this.#waiting.drained()
    this.#tellIdle()
  }

  /** Whether the frame may be the answer to a call that wants its bytes. */
  wantsRaw(frame: Frame): boolean {
    if (!this.#pending.hasRaw) return false
    const peeked = this.#options.protocol.peek(frame.bytes)
    if (peeked === undefined) return true
    return peeked.kind === 'answer' && this.#pending.get(peeked.id)?.options.raw === true
  }

  /** Bytes of an unfinished frame have arrived. */
  progress(head: Uint8Array, bytes: number): void {
    if (this.#pending.size === 0) return
    const peeked = this.#options.protocol.peek(head)
    if (peeked?.kind === 'call') return
    this.#pending.progress(this.#pending.get(peeked?.id) ?? this.#pending.sole(), bytes)
  }

  /** `bytes`: of the answer on the wire. */
  answer(answer: ResultMessage | ErrorMessage, bytes: number): void {
    const call = this.#pending.get(answer.id)
    if (call === undefined) this.#unmatched(answer)
    else {
      if (call.tracing !== undefined) call.tracing.trace.answerBytes = bytes
      this.#pending.settle(call.id, this.#outcome(answer, call))
    }
    this.#tellIdle()
  }

  /** The answer of this id cannot be given as its caller wants it; false when no call of ours has the id. */
  refuse(id: Id, error: PosternError): boolean {
    const call = this.#pending.get(id)
    if (call === undefined) return false
    this.#pending.settle(call.id, { error })
    this.#tellIdle()
    return true
  }

  /** Takes a note that belongs to a subscription of ours; false for any other. */
  notice({ method, params }: NoteMessage): boolean {
    const notice = readNotice(params)
    return notice !== undefined && this.subscriptions.take(notice, method)
  }

  /** Gives the connection up: the other side does not do what it must. */
  abandon(reason: PosternError): void {
    this.#options.channel.abort(reason)
  }

  /** Nothing more will be answered: everything that waits ends. */
  stop(reason: PosternError): void {
    if (this.#stopped !== undefined) return
    this.#stopped = reason
    this.#waiting.clear()
    this.#pending.settleAll((call) => this.#lost(call, reason))
    this.subscriptions.loseAll(reason)
  }

  /** Takes no more calls; those that wait go on. */
  refuseNew(reason: PosternError): void {
    this.#refusing = reason
  }

  #register(method: string, options: CallOptions, settleCall: (outcome: Outcome) => void): PendingCall | undefined {
    checkMethod(method)
    const { limits } = this.#options
    const { signal, timeoutMs = limits.callMs } = options
    checkTimeout(timeoutMs)
    const tracing = isTraced() ? this.#trace(method) : undefined
    const settle = tracing === undefined ? settleCall : traced(tracing, settleCall)
    const ended = this.#stopped ?? this.#refusing
    if (ended !== undefined) settle({ error: this.#notWritten(method, ended) })
    else if (signal?.aborted === true) {
      settle({
        error: new PosternError('cancelled', `${method} was cancelled before it was sent`, { cause: signal.reason }),
      })
    } else if (this.#pending.size >= limits.maxPending) settle({ error: tooManyPending(method, limits.maxPending) })
    else return this.#pending.add({ method, options, timeoutMs, settle, tracing })
    return undefined
  }

  #trace(method: string): Tracing {
    const { address, channel } = this.#options
    return new Tracing({ side: 'client', method, address, peer: channel.peer })
  }

  #whenRoom(waiting: Waiting): void {
    if (this.#waiting.hasRoom) waiting.send()
    else this.#waiting.add(waiting)
  }

  #tellIdle(): void {
    if (this.idle) this.#options.onIdle()
  }

  #sendCall(call: PendingCall, params: unknown): void {
    const frame = this.#write(call, params)
    if (frame === undefined) return
    this.#send(frame, [call])
  }

  /** Sends a frame and notes in its calls which one it is; a channel that has ended takes none. */
  #send(frame: OutgoingFrame, calls: readonly PendingCall[]): void {
    const { channel } = this.#options
    const before = channel.sentFrames
    channel.send(frame)
    if (channel.sentFrames === before) return
    for (const call of calls) call.frameNumber = channel.sentFrames
  }

  /** The frame of a call; one that cannot be written fails, and gives none. */
  #write({ id, method, tracing }: PendingCall, params: unknown): OutgoingFrame | undefined {
    try {
      const frame = this.#options.protocol.write({ kind: 'call', id, method, params })
      if (tracing !== undefined) tracing.trace.callBytes = frameBytes(frame)
      return frame
    } catch (error) {
      this.#pending.settle(id, { error: error as Error })
      return undefined
    }
  }

  #outcome(answer: ResultMessage | ErrorMessage, call: PendingCall): Outcome {
    const { integers, postern, protocol } = this.#options
    if (answer.kind === 'error') return { error: errorFromWire(answer.error, call.method, postern) }
    const { value } = answer
    if (value instanceof RawValue) {
      try {
        return { value: call.options.raw === true ? value.bytes : protocol.readValue(value.bytes, integers) }
      } catch (error) {
        return { error: error as Error }
      }
    }
    if (call.options.raw !== true) return { value }
    return {
      error: new PosternError('bad_message', `${call.method}: the bytes of the result cannot be told from the answer`),
    }
  }

  /** An error without an id belongs to the oldest batch, or to the only call that waits; or nobody can say to what. */
  #unmatched(answer: ResultMessage | ErrorMessage): void {
    const { address, onError, postern } = this.#options
    if (answer.kind === 'error' && answer.id === null) {
      const [group] = this.#batches
      const sole = this.#pending.sole()
      const calls = group ?? (sole === undefined ? [] : [sole])
      for (const { id, method } of calls)
        this.#pending.settle(id, { error: errorFromWire(answer.error, method, postern) })
      if (calls.length > 0) return
    }
    this.#unmatchedAnswers++
    if (answer.kind !== 'error' || answer.id !== null) return
    const sentence = `${address} sent an error that names no call: ${answer.error.message} (code ${answer.error.code})`
    onError(new PosternError('remote', sentence, { details: answer.error }), address)
  }

  #tellCancelled({ id, frameNumber }: PendingCall): void {
    const { cancelMethod = this.postern ? 'rpc.cancel' : undefined } = this.#options
    // One for each call that was sent, so the queue stays bounded though nobody asks whether it is full.
    if (cancelMethod !== undefined && frameNumber > 0) this.tell(cancelMethod, { id })
    this.#tellIdle()
  }

  #lost(call: PendingCall, reason: PosternError): PosternError {
    const { address, channel } = this.#options
    if (call.frameNumber === 0 || call.frameNumber > channel.writtenFrames) return this.#notWritten(call.method, reason)
    if (tellingCodes.has(reason.code)) return reason
    const sentence = `${call.method} was sent to ${address} and not answered (${reason.sentence}); it may have run`
    return new PosternError('unknown_outcome', sentence, { cause: reason })
  }

  #notWritten(what: string, reason: PosternError): PosternError {
    return new PosternError('closed', `${what}: ${reason.sentence}`, { cause: reason })
  }
}

/** Tells of the outcome before the caller hears of it. */
function traced(tracing: Tracing, settle: (outcome: Outcome) => void): (outcome: Outcome) => void {
  tracing.run(() => undefined)
  return (outcome) => {
    if ('error' in outcome) tracing.fail(isPosternError(outcome.error) ? outcome.error.code : 'internal', outcome.error)
    tracing.settle()
    settle(outcome)
  }
}

function settler(resolve: (value: unknown) => void, reject: (error: Error) => void): (outcome: Outcome) => void {
  return (outcome) => {
    if ('error' in outcome) reject(outcome.error)
    else resolve(outcome.value)
  }
}

function checkMethod(method: string): void {
  if (typeof method !== 'string' || method === '')
    throw new TypeError(`a method's name is a string that is not empty, not ${String(method)}`)
}

function checkTimeout(timeoutMs: number): void {
  if (!(timeoutMs > 0)) throw new TypeError(`timeoutMs is a positive number of milliseconds, not ${String(timeoutMs)}`)
}

function tooManyPending(method: string, maxPending: number): PosternError {
  return new PosternError(
    'limit_exceeded',
    `${method}: more calls and notes wait than limits.maxPending (${maxPending})`,
    {
      details: { limit: 'maxPending', value: maxPending },
    },
  )
}
