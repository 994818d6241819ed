/**
 * How messages are written into frames and read from them. Pure, and without memory between frames.
 */

import type { Integers } from '../codecs/codec.ts'
import type { Blobs } from '../core/blobs.ts'
import type { OutgoingFrame } from '../core/channel.ts'
import type { Frame } from '../core/frame.ts'
import type { Limits } from '../core/limits.ts'
import type { Id, Incoming, Message } from './message.ts'

/** How a frame is to be read. */
export interface ReadOptions {
  readonly limits: Pick<Limits, 'maxMethodBytes' | 'maxIdBytes' | 'maxBatchCalls'>
  readonly integers: Integers
  /** The value of a result stays a `RawValue`, where it can be told from the rest. */
  readonly raw?: boolean
}

/** What the first bytes of a message tell. The ids of the two sides' calls are unrelated. */
export interface Peeked {
  readonly kind: 'call' | 'answer'
  readonly id: Id
}

/** One way to hold a conversation. */
export interface Protocol {
  readonly name: string
  /** The same on a connection that hands blobs over; absent where frames cannot name any. */
  readonly withBlobs?: (blobs: Blobs) => Protocol
  /** The largest number that can be the id of a call; behind it they begin again. */
  readonly maxId: number
  /** Whether integers beyond 2^53 - 1 come through exact, so that a call may hold them. */
  readonly exactIntegers: boolean
  /**
   * Throws `bad_frame` for bytes that are not the protocol's codec, and `bad_message` for numbers that cannot be held
   * exactly as `integers` asks. What is no message is read as `invalid`.
   */
  read(frame: Frame, options: ReadOptions): Incoming
  /** Decodes the bytes of a `RawValue` after all. */
  readValue(bytes: Uint8Array, integers: Integers): unknown
  /** Throws `TypeError` for a value that cannot be carried exactly. */
  write(message: Message): OutgoingFrame
  /** Joins written messages to one frame; undefined where the protocol knows no batches. */
  readonly writeBatch: ((messages: readonly OutgoingFrame[]) => OutgoingFrame) | undefined
  /** What message it is whose first bytes these are, where that can be seen; undefined where it cannot, or is a batch. */
  peek(head: Uint8Array): Peeked | undefined
}
