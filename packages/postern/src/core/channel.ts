/**
 * The upper of the two ports: whole frames both ways, in order, with back-pressure. Every conversation runs on one.
 *
 * The contract, checked by `testing/channel-contract.ts` for every mechanism:
 * - Frames arrive whole, once, in the order of sending; a frame of no bytes is not one.
 * - Nothing is delivered before `start`, and nothing of what arrived before it is lost.
 * - Callbacks run one at a time, never inside `start`, `send`, `end` or `abort`.
 * - All frames sent in one tick leave together, in one write where the mechanism has writes.
 * - A frame over the receiver's limit is refused before it is buffered whole, as a `fault`.
 * - `close` comes exactly once, and last, whatever happened; every method may be called after it and does nothing.
 */

import type { Blobs } from './blobs.ts'
import type { PosternError } from './errors.ts'
import type { Frame } from './frame.ts'
import type { Peer } from './stream.ts'

/** A frame on its way out: bytes, or text that leaves as its UTF-8 bytes (so that a tick's frames are encoded in one go). */
export type OutgoingFrame = Uint8Array | string

/** What the user of a channel is told. */
export interface ChannelHandlers {
  /** A whole frame arrived. */
  readonly frame: (frame: Frame) => void
  /**
   * Bytes of a frame that is not whole yet. `head` holds its first bytes (at least 128 where so many came), `bytes`
   * counts what has arrived of it.
   */
  readonly progress?: (head: Uint8Array, bytes: number) => void
  /**
   * What arrives is not the framing, or is over a limit. Nothing more is received; the channel still sends, so that
   * its user can say why before it ends or aborts.
   */
  readonly fault: (error: PosternError) => void
  /** The channel was full and has room again. */
  readonly drain: () => void
  /** After `end`: all that was queued has left. */
  readonly finished?: () => void
  /** The other side has sent its last frame; it may still read. */
  readonly end: () => void
  /** The channel is over, both ways. No reason: both sides ended in order. */
  readonly close: (reason: PosternError | undefined) => void
}

/** Carries whole frames both ways. */
export interface Channel {
  readonly peer: Peer
  /** How large values are handed over; absent where they cannot be. */
  readonly blobs?: Blobs | undefined
  /** True while more is queued than `maxQueuedBytes` or `maxQueuedFrames`: the user of the channel then sends nothing before `drain`. */
  readonly full: boolean
  /** Frames given to `send` so far. */
  readonly sentFrames: number
  /** How many of these, from the first, may have reached the other side; no byte of the later ones has been written. */
  readonly writtenFrames: number
  /** Begins delivery. Called exactly once. */
  start(handlers: ChannelHandlers): void
  /** Sends one frame. The bytes must not change afterwards. */
  send(frame: OutgoingFrame): void
  /** Sends what is queued, then tells the other side that no more comes; receiving goes on. */
  end(): void
  /** Gives up both directions at once; what has not left is dropped. */
  abort(reason?: PosternError): void
}

/** Takes connections at an address until it is closed. */
export interface Listener {
  /** The published address, as a client would write it. */
  readonly address: string
  /** Resolves when the last connection that can come is over. Absent: more can always come. */
  readonly exhausted?: Promise<void>
  /** Takes no more connections and gives the name back; connections that are open go on. Idempotent. */
  close(): Promise<void>
  /** Gives the name back at once, for the last moment of a process. */
  closeSync(): void
}
