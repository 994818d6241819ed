/**
 * A channel over a stream: the only place where a framing meets a stream, a timer and back-pressure.
 *
 * Outgoing frames wait for the end of the tick and leave in one write. Large ones leave in slices, so that a peer who
 * reads slowly is seen to read, and one who does not read is cut after `stallMs`.
 */

import type { Blobs } from '../core/blobs.ts'
import type { Channel, ChannelHandlers, OutgoingFrame } from '../core/channel.ts'
import { isPosternError, PosternError } from '../core/errors.ts'
import type { Frame } from '../core/frame.ts'
import type { Limits } from '../core/limits.ts'
import type { Peer, Stream } from '../core/stream.ts'
import type { FrameDecoder, FrameLimits, Framing } from './framing.ts'
import type { QueueBudget } from './queue-budget.ts'
import { SendQueue } from './send-queue.ts'

/** What a framed channel takes from the limits, and whether it reads calls (a server) or answers (a client). */
export interface FramedChannelOptions {
  readonly side: 'server' | 'client'
  readonly limits: Limits
  /** What all connections of one server may have queued together. */
  readonly budget?: QueueBudget
}

/** After this long without bytes a client looks whether what it holds is a whole value without its newline. */
const quietMs = 5

/** Makes a channel of a stream. The channel owns the stream from here on. */
export function framedChannel(stream: Stream, framing: Framing, options: FramedChannelOptions): Channel {
  return new FramedChannel(stream, framing, options)
}

function frameLimits({ side, limits }: FramedChannelOptions): FrameLimits {
  if (side === 'client') {
    const unbounded = Number.POSITIVE_INFINITY
    return {
      limitName: 'maxAnswerBytes',
      maxFrameBytes: limits.maxAnswerBytes,
      maxDepth: unbounded,
      maxContainers: unbounded,
      maxNames: unbounded,
      maxHeaderBytes: limits.maxHeaderBytes,
      maxHeaders: limits.maxHeaders,
    }
  }
  const { maxCallBytes, maxDepth, maxContainers, maxNames, maxHeaderBytes, maxHeaders } = limits
  return {
    limitName: 'maxCallBytes',
    maxFrameBytes: maxCallBytes,
    maxDepth,
    maxContainers,
    maxNames,
    maxHeaderBytes,
    maxHeaders,
  }
}

class FramedChannel implements Channel {
  readonly #stream: Stream
  readonly #options: FramedChannelOptions
  readonly #queue: SendQueue
  readonly #sink = (frame: Frame): void => {
    // Who is told of a frame may give up the channel, and then wants none of those behind it in the same chunk.
    if (this.#decoder !== undefined) this.#handlers?.frame(frame)
  }
  /** Undefined once nothing more is received. */
  #decoder: FrameDecoder | undefined
  #handlers: ChannelHandlers | undefined
  #progressTimer: NodeJS.Timeout | undefined
  #quietTimer: NodeJS.Timeout | undefined

  constructor(stream: Stream, framing: Framing, options: FramedChannelOptions) {
    this.#stream = stream
    this.#options = options
    this.#decoder = framing.decoder(frameLimits(options))
    this.#queue = new SendQueue(stream, framing, {
      limits: options.limits,
      budget: options.budget,
      onDrain: () => this.#handlers?.drain(),
      onEnd: () => this.#handlers?.finished?.(),
      onStall: (error) => this.abort(error),
    })
  }

  get peer(): Peer {
    return this.#stream.peer
  }

  get blobs(): Blobs | undefined {
    return this.#stream.blobs
  }

  get full(): boolean {
    return this.#queue.full
  }

  get sentFrames(): number {
    return this.#queue.sentFrames
  }

  get writtenFrames(): number {
    return this.#queue.writtenFrames
  }

  start(handlers: ChannelHandlers): void {
    this.#handlers = handlers
    this.#stream.start({
      data: (chunk) => this.#data(chunk),
      drain: () => this.#queue.drained(),
      end: () => this.#end(),
      close: (reason) => this.#close(reason),
    })
  }

  send(frame: OutgoingFrame): void {
    this.#queue.add(frame)
  }

  end(): void {
    this.#queue.end()
  }

  abort(reason?: PosternError): void {
    this.#stopReceiving()
    this.#queue.close()
    this.#stream.abort(reason)
  }

  #data(chunk: Uint8Array): void {
    const decoder = this.#decoder
    if (decoder === undefined) return
    try {
      decoder.push(asBuffer(chunk), this.#sink)
    } catch (error) {
      this.#fault(error)
      return
    }
    if (decoder.pendingBytes === 0) {
      if (this.#progressTimer !== undefined) this.#stopTimers()
    } else if (this.#decoder !== undefined) this.#partialFrame(decoder)
  }

  #partialFrame(decoder: FrameDecoder): void {
    if (this.#progressTimer === undefined) {
      this.#progressTimer = setTimeout(() => this.#noProgress(), this.#options.limits.frameProgressMs)
      this.#progressTimer.unref()
    } else this.#progressTimer.refresh()
    clearTimeout(this.#quietTimer)
    this.#quietTimer = decoder.undecided ? setTimeout(() => this.#quiet(decoder), quietMs) : undefined
    this.#handlers?.progress?.(decoder.head(), decoder.pendingBytes)
  }

  #quiet(decoder: FrameDecoder): void {
    try {
      decoder.quiet(this.#sink)
      if (decoder.pendingBytes === 0) this.#stopTimers()
    } catch (error) {
      this.#fault(error)
    }
  }

  #noProgress(): void {
    const { frameProgressMs } = this.#options.limits
    this.#fault(
      new PosternError('limit_exceeded', `no byte inside a frame for limits.frameProgressMs (${frameProgressMs} ms)`, {
        details: { limit: 'frameProgressMs', value: frameProgressMs },
      }),
    )
  }

  #fault(error: unknown): void {
    const receives = this.#decoder !== undefined
    this.#stopReceiving()
    // Only the decoder's own errors are the peer's fault; anything else is a defect of ours and must be seen.
    if (!isPosternError(error)) throw error
    if (receives) this.#handlers?.fault(error)
  }

  #end(): void {
    const decoder = this.#decoder
    try {
      decoder?.end(this.#sink)
    } catch (error) {
      this.#fault(error)
    }
    this.#stopReceiving()
    this.#handlers?.end()
  }

  #close(reason: PosternError | undefined): void {
    this.#stopReceiving()
    this.#queue.close()
    const handlers = this.#handlers
    this.#handlers = undefined
    handlers?.close(reason)
  }

  #stopReceiving(): void {
    this.#decoder = undefined
    this.#stopTimers()
  }

  #stopTimers(): void {
    clearTimeout(this.#progressTimer)
    clearTimeout(this.#quietTimer)
    this.#progressTimer = undefined
    this.#quietTimer = undefined
  }
}

function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
}
