/**
 * The lower of the two ports: bytes in order, without boundaries. A mechanism that carries bytes (a socket, a pipe,
 * a shared-memory ring) is one file in `transports/` that makes these.
 *
 * The contract, checked by `testing/stream-contract.ts` for every mechanism:
 * - Nothing is delivered before `start`, and nothing of what arrived before it is lost.
 * - Callbacks run one at a time, never inside `start`, `write`, `end` or `abort`.
 * - `end` comes at most once, when the other side has finished writing; `close` comes exactly once, and last.
 * - Every method may be called after the close and then does nothing.
 */

import type { Blobs } from './blobs.ts'
import type { PosternError } from './errors.ts'

/** Who is at the other end, as the kernel says; what the kernel did not tell is undefined, never a guess. */
export interface Peer {
  /** User id of the process at the other end. */
  readonly uid: number | undefined
  /** Primary group id. */
  readonly gid: number | undefined
  /** Supplementary group ids. */
  readonly groups: readonly number[] | undefined
  /** Process id when the connection was made; it may have been reused since, so nothing is decided by it. */
  readonly pid: number | undefined
  /** Whether that very process, not one that has its id since, still ran when the connection was taken. */
  readonly alive: boolean | undefined
}

/** The peer of which the kernel told nothing. */
export const unknownPeer: Peer = Object.freeze({
  uid: undefined,
  gid: undefined,
  groups: undefined,
  pid: undefined,
  alive: undefined,
})

/** What the user of a stream is told. */
export interface StreamHandlers {
  /** Bytes arrived. The chunk belongs to the receiver: the stream will not write into it again. */
  readonly data: (chunk: Uint8Array) => void
  /** After a `write` that returned false: all that was written has left. */
  readonly drain: () => void
  /** The other side has finished writing; it may still read. */
  readonly end: () => void
  /** The stream is over, both ways. No reason: both sides ended in order. */
  readonly close: (reason: PosternError | undefined) => void
}

/** Bytes in order, both ways. */
export interface Stream {
  readonly peer: Peer
  /** How large values are handed over; absent where they cannot be. */
  readonly blobs?: Blobs | undefined
  /** Begins delivery. Called exactly once. */
  start(handlers: StreamHandlers): void
  /**
   * Sends bytes, or text as its UTF-8 bytes, in order. The chunk must not change until it has left. False means: wait
   * for `drain` before the next one. The stream bounds nothing; its user does.
   */
  write(chunk: Uint8Array | string): boolean
  /** Stops delivery of `data`; the kernel's buffer then slows the other side. */
  pause(): void
  resume(): void
  /** Sends what was written, then tells the other side that no more comes; reading goes on. */
  end(): void
  /** Gives up both directions at once; what has not left is dropped. */
  abort(reason?: PosternError): void
}
