/**
 * `memory:name`: both ends in one process. The reference that shows what a mechanism of whole frames has to do.
 */

import type { Channel, ChannelHandlers, Listener, OutgoingFrame } from '../core/channel.ts'
import { PosternError } from '../core/errors.ts'
import { Frame } from '../core/frame.ts'
import type { Limits } from '../core/limits.ts'
import { type Peer, unknownPeer } from '../core/stream.ts'

/** How a server takes connections. */
export interface ListenMemoryOptions {
  readonly limits: Limits
  readonly onChannel: (channel: Channel) => void
}

const listeners = new Map<string, ListenMemoryOptions>()

/** Takes the name within this process. Throws `address_in_use`. */
export function listenMemory(name: string, options: ListenMemoryOptions): Listener {
  const address = `memory:${name}`
  if (listeners.has(name)) {
    throw new PosternError('address_in_use', `${address} is already served in this process; choose another name`)
  }
  listeners.set(name, options)
  const closeSync = (): void => {
    if (listeners.get(name) === options) listeners.delete(name)
  }
  return { address, closeSync, close: async () => closeSync() }
}

/** Connects to a name within this process. Throws `no_listener`. */
export function connectMemory(name: string, { limits }: { readonly limits: Limits }): Channel {
  const server = listeners.get(name)
  if (server === undefined) {
    throw new PosternError('no_listener', `nobody serves memory:${name} in this process; start the server first`)
  }
  const [ours, theirs] = memoryPair(
    { limits, maxFrameBytes: limits.maxAnswerBytes },
    { limits: server.limits, maxFrameBytes: server.limits.maxCallBytes },
  )
  server.onChannel(theirs)
  return ours
}

interface EndOptions {
  readonly limits: Limits
  /** The largest frame that this end takes. */
  readonly maxFrameBytes: number
}

/** Two ends of one channel. */
export function memoryPair(first: EndOptions, second: EndOptions): [Channel, Channel] {
  const a = new MemoryChannel(first)
  const b = new MemoryChannel(second)
  a.join(b)
  b.join(a)
  return [a, b]
}

type Event = { readonly frame: Buffer } | 'end'

class MemoryChannel implements Channel {
  readonly peer: Peer = unknownPeer
  readonly #options: EndOptions
  #other: MemoryChannel | undefined
  #handlers: ChannelHandlers | undefined
  /** What the other end has sent and this one has not delivered. */
  #inbox: Event[] = []
  #inboxBytes = 0
  #scheduled = false
  #sentFrames = 0
  #ended = false
  #otherEnded = false
  #deaf = false
  #closed = false
  #senderWaits = false

  constructor(options: EndOptions) {
    this.#options = options
  }

  join(other: MemoryChannel): void {
    this.#other = other
  }

  get full(): boolean {
    const other = this.#other
    if (other === undefined) return false
    const { maxQueuedBytes, maxQueuedFrames } = this.#options.limits
    return other.#inboxBytes >= maxQueuedBytes || other.#inbox.length >= maxQueuedFrames
  }

  get sentFrames(): number {
    return this.#sentFrames
  }

  get writtenFrames(): number {
    return this.#sentFrames
  }

  start(handlers: ChannelHandlers): void {
    this.#handlers = handlers
    this.#schedule()
  }

  send(frame: OutgoingFrame): void {
    if (this.#ended || this.#closed) return
    this.#sentFrames++
    const other = this.#other
    if (frame.length === 0 || other === undefined) return
    other.receive({ frame: Buffer.from(frame as string) })
    if (this.full) other.#senderWaits = true
  }

  end(): void {
    if (this.#ended || this.#closed) return
    this.#ended = true
    this.#other?.receive('end')
    process.nextTick(() => this.#handlers?.finished?.())
    if (this.#otherEnded) this.#closeSoon(undefined)
  }

  abort(reason?: PosternError): void {
    if (this.#closed) return
    this.#closeSoon(reason ?? new PosternError('closed', 'the connection was dropped here'))
    this.#other?.lose()
  }

  receive(event: Event): void {
    if (this.#closed || this.#deaf) return
    this.#inbox.push(event)
    if (event !== 'end') this.#inboxBytes += event.frame.length
    this.#schedule()
  }

  /** The other end has dropped the connection; what it sent before still arrives. */
  lose(): void {
    if (this.#closed) return
    this.#schedule()
    setImmediate(() => this.#closeSoon(new PosternError('closed', 'the other side dropped the connection')))
  }

  #schedule(): void {
    if (this.#scheduled || this.#handlers === undefined) return
    this.#scheduled = true
    process.nextTick(() => this.#deliver())
  }

  #deliver(): void {
    this.#scheduled = false
    const events = this.#inbox
    this.#inbox = []
    this.#inboxBytes = 0
    for (const event of events) if (!this.#closed && !this.#deaf) this.#deliverOne(event)
    if (!this.#senderWaits) return
    this.#senderWaits = false
    const other = this.#other
    process.nextTick(() => other?.drained())
  }

  drained(): void {
    if (!this.#closed) this.#handlers?.drain()
  }

  #deliverOne(event: Event): void {
    const handlers = this.#handlers
    if (event === 'end') {
      this.#otherEnded = true
      handlers?.end()
      if (this.#ended) this.#closeSoon(undefined)
    } else if (event.frame.length > this.#options.maxFrameBytes) {
      this.#deaf = true
      const { maxFrameBytes } = this.#options
      handlers?.fault(
        new PosternError(
          'frame_too_large',
          `a frame of ${event.frame.length} bytes exceeds the limit of ${maxFrameBytes}`,
        ),
      )
    } else handlers?.frame(new Frame(event.frame))
  }

  #closeSoon(reason: PosternError | undefined): void {
    if (this.#closed) return
    this.#closed = true
    this.#inbox = []
    process.nextTick(() => this.#handlers?.close(reason))
  }
}
