/**
 * JSON values one behind the other, with or without white space between them: what a server reads, since nobody
 * promises a newline.
 *
 * ```
 * {"jsonrpc":"2.0",...}{"jsonrpc":"2.0",...}\n[...]
 * ```
 *
 * A value is an object or an array. Newlines are written between values, never needed.
 */

import type { OutgoingFrame } from '../core/channel.ts'
import { PosternError } from '../core/errors.ts'
import { excerpt } from '../core/escape.ts'
import { FrameBuffer } from './frame-buffer.ts'
import {
  endedInsideFrame,
  type FrameDecoder,
  type FrameLimits,
  type FrameSink,
  type Framing,
  frameTooLarge,
} from './framing.ts'
import { JsonScanner } from './json-scanner.ts'

/** JSON values, found by their own brackets. */
export const jsonStream: Framing = {
  name: 'json-stream',
  decoder: (limits) => new JsonStreamDecoder(limits),
  encode: encodeLines,
}

/** Each frame with a newline behind it; the text of all frames leaves as one piece. */
export function encodeLines(frames: readonly OutgoingFrame[]): readonly Uint8Array[] {
  const pieces: Uint8Array[] = []
  let text = ''
  for (const frame of frames) {
    if (typeof frame === 'string') {
      text += `${frame}\n`
      continue
    }
    if (text !== '') pieces.push(Buffer.from(text))
    pieces.push(frame)
    text = '\n'
  }
  if (text !== '') pieces.push(Buffer.from(text))
  return pieces
}

export class JsonStreamDecoder implements FrameDecoder {
  readonly undecided = false
  readonly #limits: FrameLimits
  readonly #scanner: JsonScanner
  readonly #held = new FrameBuffer()

  constructor(limits: FrameLimits) {
    this.#limits = limits
    this.#scanner = new JsonScanner(limits)
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
      if (this.#held.length === 0) {
        const byte = chunk[index] as number
        if (isWhiteSpace(byte)) {
          index++
          continue
        }
        if (!opensValue(byte)) throw notJson(chunk.subarray(index))
      }
      index = this.#value(chunk, index, sink)
    }
  }

  quiet(): void {}

  end(): void {
    if (this.#held.length > 0) throw endedInsideFrame(this.#held.length)
  }

  /** Takes one value, or what the chunk has of it. */
  #value(chunk: Buffer, start: number, sink: FrameSink): number {
    const end = this.#scanner.scan(chunk, start)
    const piece = start === 0 && end < 0 ? chunk : chunk.subarray(start, end < 0 ? chunk.length : end)
    const length = this.#held.length + piece.length
    if (length > this.#limits.maxFrameBytes) throw frameTooLarge(this.#limits, length)
    if (end < 0) {
      this.#held.add(piece)
      return chunk.length
    }
    sink(this.#held.take(piece))
    return end
  }
}

/** Whether the byte is white space to JSON. */
export function isWhiteSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

/** Whether the byte opens an object or an array. */
export function opensValue(byte: number): boolean {
  return byte === 0x7b || byte === 0x5b
}

/** The error for bytes that begin no JSON object or array. */
export function notJson(bytes: Uint8Array): PosternError {
  return new PosternError('bad_frame', `expected a JSON object or array, got ${excerpt(bytes)}`)
}
