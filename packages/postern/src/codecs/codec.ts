/**
 * How a value becomes the bytes of a frame and back. Pure and without memory: no state passes from one message to the
 * next or from one peer to another.
 *
 * The contract, checked by `testing/codec-contract.ts`: what `decode` gives back is what `encode` took, or one of them
 * threw; nothing is rounded or dropped in silence.
 */

import type { Blobs } from '../core/blobs.ts'
import type { OutgoingFrame } from '../core/channel.ts'

/** How whole numbers beyond 2^53 - 1 come out of a frame. */
export type Integers = 'bigint' | 'number' | 'error'

/** How a frame is to be read. */
export interface DecodeOptions {
  /** Default `bigint`: the unsafe ones only; every other number stays a number. */
  readonly integers?: Integers
  /** The name of a member of the top object whose bytes are wanted as they are, as a `RawValue`. */
  readonly rawMember?: string
  /** The place of an item of the top array whose bytes are wanted as they are, as a `RawValue`. */
  readonly rawItem?: number
  /** Deepest nesting, in binary codecs at most 512, and `limits.maxContainers` in one frame; `limit_exceeded` above. */
  readonly maxDepth?: number
  readonly maxContainers?: number
  /** `limits.maxNames` in one frame; `limit_exceeded` above. */
  readonly maxNames?: number
  /** Whose blobs a frame may name, in binary codecs; without them a frame that does is `bad_frame`. */
  readonly blobs?: Blobs | undefined
}

/** The bytes of a value that was not decoded: valid UTF-8 where the codec is text, and otherwise unchecked. */
export class RawValue {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

/** What a codec is called. `structured` stays inside one process. */
export type CodecName = 'json' | 'msgpack' | 'cbor' | 'structured'

/** A way to write values as bytes. */
export interface Codec {
  readonly name: CodecName
  /**
   * Throws `TypeError` for a value that the codec cannot carry exactly, naming where in it and what would carry it, and
   * `frame_too_large` for one that makes more text than a string can hold.
   */
  encode(value: unknown): OutgoingFrame
  /**
   * Throws `bad_frame` for bytes that are no value, and `bad_message` for a number that cannot be given: beyond the
   * range of a double, NaN, or an unsafe one with `integers: 'error'`.
   */
  decode(frame: Uint8Array, options?: DecodeOptions): unknown
}

/** A codec whose frames are arrays in a binary form, as MessagePack-RPC wants them. */
export interface BinaryCodec extends Codec {
  /** Bytes that are one of `blobs` are handed over, and named in the frame; only once nothing else can fail. */
  encode(value: unknown, blobs?: Blobs): Uint8Array
  /** The whole numbers that the top array begins with, as far as `head`, the first bytes of a frame, holds them. Never throws. */
  peekIntegers(head: Uint8Array): readonly number[]
}
