/**
 * How a stream of bytes is cut into frames. Pure: a framing touches no stream, timer or clock.
 *
 * The contract, checked by `testing/framing-contract.ts`: any frames, cut anywhere, come back whole and in order; no
 * byte is looked at again because others follow; of a frame nothing beyond `maxFrameBytes` is ever held, and of the
 * headers before it nothing beyond `maxHeaderBytes`; a frame that announces its size is refused before its bytes are
 * kept; what is not the framing throws and the decoder is then of no more use.
 */

import type { OutgoingFrame } from '../core/channel.ts'
import { PosternError } from '../core/errors.ts'
import type { Frame } from '../core/frame.ts'
import type { Limits } from '../core/limits.ts'

/** What bounds a value beside its bytes; Infinity where only the bytes count. */
export interface NestingLimits {
  readonly maxDepth: number
  readonly maxContainers: number
  readonly maxNames: number
}

/** What bounds a frame on its way in. */
export interface FrameLimits extends NestingLimits {
  /** Which limit `maxFrameBytes` came from, for the error that names it. */
  readonly limitName: 'maxCallBytes' | 'maxAnswerBytes'
  readonly maxFrameBytes: number
  /** Bounds on the headers before a frame, where a framing has any. */
  readonly maxHeaderBytes: number
  readonly maxHeaders: number
}

/** Takes whole frames, in order; called within `push`, `quiet` or `end`. */
export type FrameSink = (frame: Frame) => void

/** One direction of one connection: bytes in, frames out. */
export interface FrameDecoder {
  /** Bytes held of a frame that is not whole yet. */
  readonly pendingBytes: number
  /** The first bytes of that frame: at least 128, or all there are. */
  head(): Uint8Array
  /** Takes the next bytes; the decoder may keep them. Throws `bad_frame`, `frame_too_large` or `limit_exceeded`. */
  push(chunk: Buffer, sink: FrameSink): void
  /**
   * True where a value may be whole though nothing marks its end; the owner then calls `quiet` when no bytes have
   * come for a moment.
   */
  readonly undecided: boolean
  quiet(sink: FrameSink): void
  /** No more bytes come: a frame that may end here is given out; half a frame throws `closed`. */
  end(sink: FrameSink): void
}

/** A way to cut a stream into frames. */
export interface Framing {
  readonly name: string
  decoder(limits: FrameLimits): FrameDecoder
  /** What carries these frames, in order, in as few pieces as is sensible. Text leaves as its UTF-8 bytes. */
  encode(frames: readonly OutgoingFrame[]): readonly OutgoingFrame[]
}

/** The error for a frame over its limit. `atLeast` counts the bytes seen or announced. */
export function frameTooLarge(limits: FrameLimits, atLeast: number): PosternError {
  const what = limits.limitName === 'maxCallBytes' ? 'call' : 'answer'
  return new PosternError(
    'frame_too_large',
    `${what} of at least ${atLeast} bytes exceeds limits.${limits.limitName} (${limits.maxFrameBytes})`,
    { details: { limit: limits.limitName, value: limits.maxFrameBytes } },
  )
}

/** The error for a frame over one of the limits beside its bytes; `what` is what it has too much of. */
export function overLimit(limit: keyof Limits, value: number, what: string): PosternError {
  return new PosternError('limit_exceeded', `${what} exceeds limits.${limit} (${value})`, { details: { limit, value } })
}

/** The error for a stream that ended inside a frame. */
export function endedInsideFrame(bytes: number): PosternError {
  return new PosternError('closed', `the other side ended inside a frame, after ${bytes} bytes of it`)
}
