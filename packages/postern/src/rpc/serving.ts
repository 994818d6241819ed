/**
 * The answering half of a session: runs the calls of the other side within their limits and sends what comes of them.
 */

import type { SharedBlob } from '../core/blobs.ts'
import type { Channel, OutgoingFrame } from '../core/channel.ts'
import { PosternError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'
import type { Peer } from '../core/stream.ts'
import { closingError, errorName, wireError } from '../protocols/json-rpc-codes.ts'
import {
  type Batch,
  type CallMessage,
  type ErrorMessage,
  errorAnswer,
  type Id,
  type NoteMessage,
  type ResultMessage,
  type WireError,
} from '../protocols/message.ts'
import type { Protocol } from '../protocols/protocol.ts'
import { BatchAnswer, HeldBatches, type ParkedBytes } from './batch-answer.ts'
import { CallSlots } from './flow-control.ts'
import { IdTable } from './id-table.ts'
import { type CallHandler, type CallHost, type Caller, IncomingCall, Refusal, refusal } from './incoming-call.ts'
import { makeBlob } from './session-blobs.ts'
import { ServedStreams } from './served-streams.ts'
import { frameBytes, isTraced, Tracing } from './tracing.ts'

/** What serving needs of its session. */
export interface ServingOptions {
  readonly channel: Channel
  readonly protocol: Protocol
  readonly limits: Limits
  /** Names this side in traces. */
  readonly address: string
  /** Without one every call is `unknown_method`. */
  readonly handler: CallHandler | undefined
  /** The other side, for handlers that call back. */
  readonly client: Caller
  /** Told of what goes wrong in a handler; the peer is told `internal` and no more. */
  readonly onError: (error: unknown, method: string) => void
  /** Called when the last running call has been answered. */
  readonly onIdle: () => void
}

type Answer = ResultMessage | ErrorMessage

interface Job {
  readonly call: IncomingCall
  /** The batch that the answer belongs to, and its place in it. */
  readonly batch: BatchAnswer | undefined
  readonly place: number
  /** Of a note, or a call without an id, a number of our own. */
  readonly id: Id
  /** On the wire. */
  readonly bytes: number
  tracing: Tracing | undefined
  nextInTable: Job | undefined
}

export class Serving implements CallHost {
  readonly #options: ServingOptions
  readonly #handler: CallHandler
  readonly #slots: CallSlots<Job>
  /** The calls that run or wait, by id, so that they can be cancelled. */
  readonly #calls = new IdTable<Job>()
  /** Those that run or wait and have no id of the peer's. */
  readonly #nameless = new IdTable<Job>()
  #lastNameless = 0
  /** Bytes of answers that wait for the rest of their batch. */
  readonly #parked: ParkedBytes = { bytes: 0 }
  /** Answers that wait for the channel to have room. */
  #held: { readonly job: Job; readonly answer: Answer | undefined }[] = []
  #heldBatches: HeldBatches | undefined
  #stopped = false
  #starting = false
  /** Made when first needed: most connections have none. */
  #streams: ServedStreams | undefined

  constructor(options: ServingOptions) {
    this.#options = options
    this.#handler = options.handler ?? serveNothing
    this.#slots = new CallSlots(options.limits)
  }

  get idle(): boolean {
    return (
      this.#slots.idle &&
      (this.#heldBatches === undefined || this.#heldBatches.size === 0) &&
      (this.#streams === undefined || this.#streams.size === 0)
    )
  }

  get peer(): Peer {
    return this.#options.channel.peer
  }

  get client(): Caller {
    return this.#options.client
  }

  blob(bytes: number): SharedBlob {
    return makeBlob(this.#options.channel, this.#options, bytes)
  }

  get streams(): ServedStreams {
    if (this.#streams !== undefined) return this.#streams
    const { channel, protocol, limits, onError } = this.#options
    const streams = new ServedStreams({ channel, protocol, limits, onError, onIdle: () => this.#tellIdle() })
    if (this.#stopped) streams.stopAll(new PosternError('closed', 'the connection is being closed'))
    this.#streams = streams
    return streams
  }

  /** Takes a call or a note of `bytes` on the wire. */
  take(message: CallMessage | NoteMessage, bytes: number, batch?: BatchAnswer, place = 0): void {
    const { channel } = this.#options
    const call = new IncomingCall(message, this)
    const { id } = call
    const tableId = id ?? ++this.#lastNameless
    const job: Job = { call, batch, place, id: tableId, bytes, tracing: undefined, nextInTable: undefined }
    if (this.#stopped) {
      this.#refuse(job, closingError)
      return
    }
    if (id !== undefined && id !== null && this.#calls.get(id) !== undefined) {
      this.#refuseDuplicate(job)
      return
    }
    this.#tableOf(job).add(job)
    switch (this.#slots.admit(job, bytes, !channel.full)) {
      case 'run':
        this.#run(job)
        return
      case 'wait':
        return
      case 'overloaded':
        this.#overloaded(job)
    }
  }

  /** Takes the calls of a batch, and what in it is no message; their answers leave as one. */
  takeBatch({ messages }: Batch, bytes: number): void {
    const { channel, limits, protocol } = this.#options
    const { writeBatch } = protocol
    // Who has no batches reads none.
    if (writeBatch === undefined) return
    const batches = (this.#heldBatches ??= new HeldBatches(channel, limits.maxBatchAnswerBytes))
    const answer = new BatchAnswer({
      protocol,
      writeBatch,
      maxBytes: limits.maxBatchAnswerBytes,
      parked: this.#parked,
      send: (frame, sent) => batches.send(frame, sent),
    })
    const each = Math.ceil(bytes / messages.length)
    const places = messages.map((message) =>
      message.kind === 'call' || message.kind === 'invalid' ? answer.reserve() : 0,
    )
    for (const [index, message] of messages.entries()) {
      const place = places[index] as number
      if (message.kind === 'invalid') answer.put(place, message.answer.id, this.#write(message.answer, ''))
      else if (message.kind === 'call') this.take(message, each, answer, place)
    }
  }

  /** The caller of this id has given up. */
  cancel(id: unknown): void {
    if (typeof id !== 'number' && typeof id !== 'string') return
    const job = this.#calls.get(id)
    job?.call.abort(new PosternError('cancelled', `${job.call.method} was cancelled by its caller`))
  }

  /** The other side takes more items of one of its streams. */
  credit(params: unknown): void {
    this.#streams?.credit(params)
  }

  /** The channel has room again. */
  drained(): void {
    const { channel } = this.#options
    this.#heldBatches?.drained()
    while (this.#held.length > 0 && !channel.full) {
      const [first] = this.#held.splice(0, 1)
      if (first !== undefined) this.#send(first.job, first.answer)
    }
    this.#runWaiting()
    this.#streams?.drained()
    this.#tellIdle()
  }

  /** Answers what comes from now on with `closed`, and ends the streams: their subscribers see the connection end. */
  stop(): void {
    this.#stopped = true
    this.#streams?.stopAll(new PosternError('closed', 'the connection is being closed'))
  }

  /** The other side has gone: nobody wants the answers. */
  abandon(reason: PosternError): void {
    this.#stopped = true
    for (const { job } of this.#held.splice(0)) {
      job.tracing?.fail('closed', reason)
      job.tracing?.settle()
    }
    this.#heldBatches?.clear()
    this.#streams?.stopAll(reason)
    this.#slots.clear()
    for (const job of [...this.#calls.entries(), ...this.#nameless.entries()]) {
      this.#tableOf(job).remove(job)
      job.call.abort(reason)
    }
  }

  #run(job: Job): void {
    const { call } = job
    if (call.aborted) {
      this.#fail(job, call.signal.reason)
      return
    }
    let value: unknown
    try {
      if (isTraced()) job.tracing = this.#trace(job)
      value = job.tracing === undefined ? this.#handler(call) : this.#runTraced(call, job.tracing)
      if (isThenable(value)) {
        // What is not a promise may call back twice.
        const promise = value instanceof Promise ? value : Promise.resolve(value)
        promise.then(
          (result) => this.#succeed(job, result),
          (error: unknown) => this.#fail(job, error),
        )
        return
      }
    } catch (error) {
      this.#fail(job, error)
      return
    }
    this.#succeed(job, value)
  }

  #trace({ call, bytes }: Job): Tracing {
    const { address, channel } = this.#options
    const tracing = new Tracing({ side: 'server', method: call.method, address, peer: channel.peer })
    tracing.trace.callBytes = bytes
    return tracing
  }

  #runTraced(call: IncomingCall, tracing: Tracing): unknown {
    return tracing.run(() => this.#handler(call))
  }

  #succeed(job: Job, value: unknown): void {
    const { id } = job.call
    this.#finish(job, id === undefined ? undefined : { kind: 'result', id, value })
  }

  #fail(job: Job, error: unknown): void {
    const { id, method } = job.call
    let wire: WireError
    if (error instanceof Refusal) wire = error.wire
    else if (job.call.aborted) wire = wireError('cancelled', 'cancelled')
    else {
      this.#options.onError(error, method)
      wire = wireError('internal', 'internal error')
    }
    job.tracing?.fail(errorName(wire), error)
    this.#finish(job, id === undefined ? undefined : errorAnswer(id, wire))
  }

  #finish(job: Job, answer: Answer | undefined): void {
    if (this.#options.channel.full && job.batch === undefined) this.#held.push({ job, answer })
    else {
      this.#send(job, answer)
      this.#runWaiting()
    }
  }

  /** Sends the answer and frees the slot. */
  #send(job: Job, answer: Answer | undefined): void {
    const { call, tracing } = job
    const { afterAnswer } = call
    this.#tableOf(job).remove(job)
    if (answer !== undefined) {
      const frame = this.#write(answer, call.method, tracing)
      if (job.batch === undefined) this.#options.channel.send(frame)
      else {
        if (afterAnswer !== undefined) job.batch.afterwards(afterAnswer)
        // What was opened and cannot be told of is ended by what runs afterwards.
        const onTooLarge = (): void => call.abort(new PosternError('limit_exceeded', 'its answer was too large'))
        job.batch.put(job.place, answer.id, frame, onTooLarge)
      }
    }
    this.#slots.release()
    if (job.batch === undefined) afterAnswer?.()
    tracing?.settle()
    this.#tellIdle()
  }

  #tellIdle(): void {
    if (this.idle) this.#options.onIdle()
  }

  #tableOf({ call }: Job): IdTable<Job> {
    return call.id === undefined || call.id === null ? this.#nameless : this.#calls
  }

  #runWaiting(): void {
    // A handler that answers at once comes back here from within the loop.
    if (this.#starting) return
    this.#starting = true
    const { channel } = this.#options
    while (!channel.full) {
      const job = this.#slots.next()
      if (job === undefined) break
      this.#run(job)
    }
    this.#starting = false
  }

  #write(answer: Answer, method: string, tracing?: Tracing): OutgoingFrame {
    const { protocol, onError } = this.#options
    let frame: OutgoingFrame
    try {
      frame = protocol.write(answer)
    } catch (error) {
      onError(error, method)
      tracing?.fail('internal', error)
      frame = protocol.write(errorAnswer(answer.id, wireError('internal', 'internal error')))
    }
    if (tracing !== undefined) {
      tracing.trace.method = method
      tracing.trace.answerBytes = frameBytes(frame)
    }
    return frame
  }

  /** Answers at once a call that has no slot. */
  #refuse({ call, batch, place }: Job, wire: WireError, id: Id | undefined = call.id): void {
    if (id === undefined) return
    const frame = this.#write(errorAnswer(id, wire), call.method)
    if (batch === undefined) sendOrCut(this.#options.channel, frame)
    else batch.put(place, id, frame)
  }

  /** Its id may not be answered twice, so the refusal bears none. */
  #refuseDuplicate(job: Job): void {
    const id = typeof job.call.id === 'string' ? JSON.stringify(job.call.id) : String(job.call.id)
    this.#refuse(job, wireError('bad_message', `invalid request: id ${id} is already in use by a call that runs`), null)
  }

  #overloaded(job: Job): void {
    const { limits, onError } = this.#options
    const { id, method } = job.call
    this.#tableOf(job).remove(job)
    const error = new PosternError(
      'overloaded',
      `more calls than limits.maxRunning (${limits.maxRunning}) and limits.maxWaiting (${limits.maxWaiting}) allow`,
    )
    if (id === undefined) onError(error, method)
    else this.#refuse(job, wireError('overloaded', error.sentence))
  }
}

/** Who floods with what must be refused, and reads no answers, would grow the queue of refusals without bound. */
export function sendOrCut(channel: Channel, frame: OutgoingFrame): void {
  if (channel.full) channel.abort(new PosternError('slow_consumer', 'the peer asks and does not read the answers'))
  else channel.send(frame)
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

const serveNothing: CallHandler = ({ id, method }) => {
  if (id !== undefined) throw refusal('unknown_method', `no method ${JSON.stringify(method)}: nothing is served here`)
}
