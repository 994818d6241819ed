/**
 * The subscriptions of the other side: streams that run for it and events that it listens to.
 *
 * ```
 * --> {"id":1,"method":"node.subscribe","params":["blocks",{"from":1},{"credit":128}]}
 * <-- {"id":1,"result":"0x1"}
 * <-- {"method":"node.subscription","params":{"subscription":"0x1","result":{...}}}
 * --> {"method":"rpc.credit","params":{"subscription":"0x1","add":64}}
 * <-- {"method":"node.subscription","params":{"subscription":"0x1","done":true}}
 * ```
 *
 * A stream's next item is asked for when the last one has its place in the queue, the channel has room and, where the
 * subscriber gives credit, some is left: so one item of each stream is held here, and its producer keeps the pace of
 * whoever reads. An event waits for nobody: it goes into the queue, and who lets that run full is cut off.
 */

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Channel, OutgoingFrame } from '../core/channel.ts'
import { PosternError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'
import { closingError, wireError } from '../protocols/json-rpc-codes.ts'
import { namedParams, type WireError } from '../protocols/message.ts'
import type { Protocol } from '../protocols/protocol.ts'
import { type IncomingCall, Refusal, refusal } from './incoming-call.ts'

/** What serving streams needs of its session. */
export interface ServedStreamsOptions {
  readonly channel: Channel
  readonly protocol: Protocol
  readonly limits: Limits
  /** Told of what a stream throws; the peer is told `internal` and no more. */
  readonly onError: (error: unknown, method: string) => void
  /** Called when the last subscription has ended. */
  readonly onIdle: () => void
}

/** What is sent to a subscriber, and how. */
export interface StreamSource {
  /** The full name of the stream, for errors. */
  readonly name: string
  /** The method of the notes that carry items, as `node.subscription`. */
  readonly notification: string
  readonly items: AsyncIterable<unknown> | Iterable<unknown>
  /** How many items may be sent before the subscriber grants more; undefined: as many as the channel takes. */
  readonly credit: number | undefined
}

/** One listener of an event. */
export interface Feed {
  readonly id: string
  /** How its connection writes messages. */
  readonly protocol: Protocol
  send(frame: OutgoingFrame): void
  /** Ends the subscription with an error; `notification` is the method of the notes that carry items. */
  fail(notification: string, error: WireError): void
}

interface Served {
  readonly id: string
  stop(reason: PosternError): void
}

export class ServedStreams {
  readonly #options: ServedStreamsOptions
  readonly #served = new Map<string, Served>()
  #lastStream = 0
  #lastFeed = 0
  #stopped = false

  constructor(options: ServedStreamsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#served.size
  }

  /** Runs a stream once its subscribe call has been answered. Returns the id for the answer. */
  open(call: IncomingCall, source: StreamSource): string {
    this.#checkRoom()
    const id = `0x${(++this.#lastStream).toString(16)}`
    const stream = new RunningStream(id, { ...this.#options, call, source, onOver: () => this.#over(id) })
    this.#served.set(id, stream)
    call.afterAnswer = () => {
      // Who gave the call up does not know the id, so nobody would ever end the stream.
      if (call.aborted) this.stop(id)
      else void stream.run()
    }
    return id
  }

  /**
   * Adds a listener of an event. Its id is made so that listeners on different connections mostly have the same one, and
   * one written frame serves them all. `leave` is called when it stops.
   */
  listen(event: string, join: (feed: Feed) => () => void): string {
    this.#checkRoom()
    const id = `${event}:${++this.#lastFeed}`
    const { protocol } = this.#options
    const leave = join({
      id,
      protocol,
      send: (frame) => this.#sendOrCut(frame),
      fail: (method, error) => {
        this.#sendOrCut(protocol.write({ kind: 'note', method, params: { subscription: id, error } }))
        leave()
        this.#over(id)
      },
    })
    this.#served.set(id, { id, stop: leave })
    return id
  }

  /** Ends a subscription at its subscriber's wish; false when there is none of this id. */
  stop(id: unknown): boolean {
    const served = typeof id === 'string' ? this.#served.get(id) : undefined
    if (served === undefined) return false
    served.stop(new PosternError('cancelled', `the subscription ${served.id} was ended by its subscriber`))
    this.#over(served.id)
    return true
  }

  /** Takes a note that grants credit; what makes no sense grants none. */
  credit(params: unknown): void {
    const { subscription, add } = namedParams(params)
    const served = typeof subscription === 'string' ? this.#served.get(subscription) : undefined
    if (served instanceof RunningStream && typeof add === 'number' && Number.isSafeInteger(add) && add > 0)
      served.grant(add)
  }

  /** The channel has room again. */
  drained(): void {
    for (const served of this.#served.values()) if (served instanceof RunningStream) served.wake()
  }

  /** Ends all of them, without a word, and takes no more. */
  stopAll(reason: PosternError): void {
    this.#stopped = true
    for (const served of [...this.#served.values()]) {
      this.#served.delete(served.id)
      served.stop(reason)
    }
  }

  #over(id: string): void {
    if (this.#served.delete(id) && this.#served.size === 0) this.#options.onIdle()
  }

  #checkRoom(): void {
    if (this.#stopped) throw new Refusal(closingError)
    const { maxSubscriptions } = this.#options.limits
    if (this.#served.size < maxSubscriptions) return
    throw refusal('limit_exceeded', `more subscriptions than limits.maxSubscriptions (${maxSubscriptions})`)
  }

  #sendOrCut(frame: OutgoingFrame): void {
    const { channel } = this.#options
    if (channel.full)
      channel.abort(new PosternError('slow_consumer', 'the peer listens to events and does not read them'))
    else channel.send(frame)
  }
}

interface RunningStreamOptions extends ServedStreamsOptions {
  readonly call: IncomingCall
  readonly source: StreamSource
  readonly onOver: () => void
}

/** A generator that never really waits would else keep the event loop from everybody until its queue is full. */
const itemsPerTurn = 64

class RunningStream implements Served {
  readonly id: string
  readonly #options: RunningStreamOptions
  readonly #iterator: AsyncIterator<unknown> | Iterator<unknown>
  #credit: number
  #stopped = false
  #wake: (() => void) | undefined

  constructor(id: string, options: RunningStreamOptions) {
    this.id = id
    this.#options = options
    const { items, credit = Number.POSITIVE_INFINITY } = options.source
    this.#iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
    this.#credit = credit
  }

  async run(): Promise<void> {
    let sent = 0
    try {
      for (;;) {
        while (!this.#stopped && !this.#mayGo()) await this.#woken()
        if (this.#stopped) return
        const { done, value } = await this.#iterator.next()
        if (this.#stopped) return
        if (done === true) return this.#end({ done: true })
        this.#credit--
        this.#send({ result: value ?? null })
        if (++sent % itemsPerTurn === 0) await nextTurn()
      }
    } catch (error) {
      if (this.#stopped) return
      this.#end({ error: this.#wireError(error) })
      this.#release()
    }
  }

  grant(add: number): void {
    this.#credit += add
    this.wake()
  }

  wake(): void {
    if (!this.#mayGo()) return
    this.#wake?.()
  }

  stop(reason: PosternError): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#options.call.abort(reason)
    this.#wake?.()
    this.#release()
  }

  /** Has the generator's `finally` run: when it stands at an await, once that is over, which its signal hastens. */
  #release(): void {
    const { onError, source } = this.#options
    void (async () => this.#iterator.return?.())().catch((error: unknown) => onError(error, source.name))
  }

  #mayGo(): boolean {
    return this.#credit > 0 && !this.#options.channel.full
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined
        resolve()
      }
    })
  }

  #end(last: { readonly done: true } | { readonly error: WireError }): void {
    this.#stopped = true
    this.#send(last)
    this.#options.onOver()
  }

  #send(content: Readonly<Record<string, unknown>>): void {
    const { channel, protocol, source } = this.#options
    const params = { subscription: this.id, ...content }
    channel.send(protocol.write({ kind: 'note', method: source.notification, params }))
  }

  #wireError(error: unknown): WireError {
    const { onError, source } = this.#options
    if (error instanceof Refusal) return error.wire
    onError(error, source.name)
    return wireError('internal', 'internal error')
  }
}
