/**
 * A `MessagePort`: both ends in one process, each in a thread of its own.
 *
 * ```
 * block, lengths   the frames of one tick, one behind the other in a block that changes hands
 * asks             say how much you have taken, when you have taken these
 * taken            frames and bytes that have been taken so far
 * end              no more frames come
 * ```
 *
 * What was posted still arrives when the port is closed, or its thread ends; then both directions are over.
 */

import type { MessagePort } from 'node:worker_threads'
import type { Channel, ChannelHandlers, OutgoingFrame } from '../core/channel.ts'
import { PosternError } from '../core/errors.ts'
import { Frame } from '../core/frame.ts'
import type { Limits } from '../core/limits.ts'
import { type Peer, unknownPeer } from '../core/stream.ts'

/** What an end of the channel is made with. */
export interface MessagePortOptions {
  readonly limits: Pick<Limits, 'maxQueuedBytes' | 'maxQueuedFrames'>
  /** The largest frame that this end takes. */
  readonly maxFrameBytes: number
  /** For whom the other thread speaks. */
  readonly peer?: Peer
}

/** The channel over a port, which is its own from here on. */
export function messagePortChannel(port: MessagePort, options: MessagePortOptions): Channel {
  return new MessagePortChannel(port, options)
}

interface Amount {
  readonly frames: number
  readonly bytes: number
}

interface Packet {
  readonly block: Uint8Array | undefined
  readonly lengths: readonly number[]
  readonly asks: boolean
  readonly taken: Amount | undefined
  readonly end: boolean
}

class MessagePortChannel implements Channel {
  readonly peer: Peer
  readonly #port: MessagePort
  readonly #options: MessagePortOptions
  #handlers: ChannelHandlers | undefined
  /** What this tick has to send. */
  #queue: OutgoingFrame[] = []
  #lengths: number[] = []
  #scheduled = false
  #sentFrames = 0
  #writtenFrames = 0
  /** All that was ever sent, and what of it the other end is known to have taken. */
  #sent: Amount = nothing
  #takenThere: Amount = nothing
  #wasFull = false
  /** What this end has taken, and whether the other one wants to know. */
  #takenHere: Amount = nothing
  #asked = false
  #ended = false
  #endSent = false
  #otherEnded = false
  #deaf = false
  #over = false
  #portClosed = false
  #reason: PosternError | undefined

  constructor(port: MessagePort, options: MessagePortOptions) {
    this.peer = options.peer ?? unknownPeer
    this.#port = port
    this.#options = options
    port.on('close', () => this.#closed())
  }

  get full(): boolean {
    return this.#waits(1)
  }

  get sentFrames(): number {
    return this.#sentFrames
  }

  get writtenFrames(): number {
    return this.#writtenFrames
  }

  start(handlers: ChannelHandlers): void {
    this.#handlers = handlers
    if (this.#portClosed) process.nextTick(() => handlers.close(this.#reason))
    else this.#port.on('message', (packet: Packet) => this.#receive(packet))
  }

  send(frame: OutgoingFrame): void {
    if (this.#ended || this.#over) return
    this.#sentFrames++
    if (frame.length === 0) return
    const length = Buffer.byteLength(frame)
    this.#queue.push(frame)
    this.#lengths.push(length)
    this.#sent = add(this.#sent, length)
    this.#wasFull ||= this.full
    this.#schedule()
  }

  end(): void {
    if (this.#ended || this.#over) return
    this.#ended = true
    this.#schedule()
  }

  abort(reason?: PosternError): void {
    if (this.#over) return
    this.#finish(reason ?? new PosternError('closed', 'the connection was dropped here'))
  }

  /** Whether the other end still has to take that share of what may be queued. */
  #waits(share: number): boolean {
    const { maxQueuedBytes, maxQueuedFrames } = this.#options.limits
    const frames = this.#sent.frames - this.#takenThere.frames
    return frames >= maxQueuedFrames * share || this.#sent.bytes - this.#takenThere.bytes >= maxQueuedBytes * share
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    process.nextTick(() => this.#flush())
  }

  #flush(): void {
    this.#scheduled = false
    if (this.#over) return
    const lengths = this.#lengths
    const block = join(this.#queue, lengths)
    this.#queue = []
    this.#lengths = []
    this.#writtenFrames = this.#sentFrames
    // Asking from the half on keeps frames under way while the answer is.
    const asks = block !== undefined && this.#waits(0.5)
    const taken = this.#asked ? this.#takenHere : undefined
    this.#asked = false
    const packet: Packet = { block, lengths, asks, taken, end: this.#ended }
    this.#port.postMessage(packet, block === undefined ? [] : [block.buffer])
    if (!this.#ended || this.#endSent) return
    this.#endSent = true
    this.#handlers?.finished?.()
    this.#finishWhenBothEnded()
  }

  #receive({ block, lengths, asks, taken, end }: Packet): void {
    if (this.#over) return
    if (taken !== undefined) this.#takenAway(taken)
    if (block !== undefined) this.#deliver(block, lengths)
    if (asks) {
      this.#asked = true
      this.#schedule()
    }
    if (!end || this.#otherEnded || this.#over) return
    this.#otherEnded = true
    this.#handlers?.end()
    this.#finishWhenBothEnded()
  }

  #takenAway(taken: Amount): void {
    this.#takenThere = taken
    if (!this.#wasFull || this.full) return
    this.#wasFull = false
    this.#handlers?.drain()
  }

  #deliver({ buffer, byteOffset, byteLength }: Uint8Array, lengths: readonly number[]): void {
    const block = Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)
    let start = 0
    for (const length of lengths) {
      if (this.#over) return
      this.#takenHere = add(this.#takenHere, length)
      if (!this.#deaf) this.#deliverOne(new Frame(block, start, start + length))
      start += length
    }
  }

  #deliverOne(frame: Frame): void {
    const { maxFrameBytes } = this.#options
    if (frame.length <= maxFrameBytes) {
      this.#handlers?.frame(frame)
      return
    }
    this.#deaf = true
    const sentence = `a frame of ${frame.length} bytes exceeds the limit of ${maxFrameBytes}`
    this.#handlers?.fault(new PosternError('frame_too_large', sentence))
  }

  #finishWhenBothEnded(): void {
    if (this.#endSent && this.#otherEnded) this.#finish(undefined)
  }

  #finish(reason: PosternError | undefined): void {
    if (this.#over) return
    this.#over = true
    this.#reason = reason
    this.#queue = []
    this.#port.close()
  }

  #closed(): void {
    if (!this.#over) this.#reason = new PosternError('closed', 'the other side dropped the connection')
    this.#over = true
    this.#portClosed = true
    this.#handlers?.close(this.#reason)
  }
}

const nothing: Amount = { frames: 0, bytes: 0 }

function add({ frames, bytes }: Amount, length: number): Amount {
  return { frames: frames + 1, bytes: bytes + length }
}

/** The frames in a block of their own, which can be given away: the bytes of a frame stay with who sent it. */
function join(frames: readonly OutgoingFrame[], lengths: readonly number[]): Uint8Array<ArrayBuffer> | undefined {
  if (frames.length === 0) return undefined
  const block = Buffer.allocUnsafeSlow(lengths.reduce((sum, length) => sum + length, 0))
  let start = 0
  for (const [index, frame] of frames.entries()) {
    if (typeof frame === 'string') block.write(frame, start)
    else block.set(frame, start)
    start += lengths[index] ?? 0
  }
  return block
}
