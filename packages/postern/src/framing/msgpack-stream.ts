/**
 * MessagePack-RPC as it travels: one value behind the other, each an array that shows by itself where it ends.
 *
 * ```
 * 94 00 01 a4 69 6e 66 6f 90      [0, 1, "info", []]
 * ```
 */

import { Frame } from '../core/frame.ts'
import { FrameBuffer } from './frame-buffer.ts'
import { endedInsideFrame, type FrameDecoder, type FrameLimits, type FrameSink, type Framing } from './framing.ts'
import { MsgpackScanner } from './msgpack-scanner.ts'

/** MessagePack arrays of 3 or 4 items, with nothing between them. */
export const msgpackStream: Framing = {
  name: 'msgpack-stream',
  decoder: (limits) => new MsgpackStreamDecoder(limits),
  encode: (frames) => frames,
}

class MsgpackStreamDecoder implements FrameDecoder {
  readonly undecided = false
  readonly #scanner: MsgpackScanner
  readonly #held = new FrameBuffer()

  constructor(limits: FrameLimits) {
    this.#scanner = new MsgpackScanner(limits)
  }

  get pendingBytes(): number {
    return this.#held.length
  }

  head(): Buffer {
    return this.#held.head()
  }

  push(chunk: Buffer, sink: FrameSink): void {
    let index = 0
    while (index < chunk.length) {
      const end = this.#scanner.scan(chunk, index)
      if (end < 0) {
        this.#held.add(index === 0 ? chunk : chunk.subarray(index))
        return
      }
      if (this.#held.length > 0) sink(new Frame(this.#held.take(chunk.subarray(0, end))))
      else sink(new Frame(chunk, index, end))
      index = end
    }
  }

  quiet(): void {}

  end(): void {
    if (this.#held.length > 0) throw endedInsideFrame(this.#held.length)
  }
}
