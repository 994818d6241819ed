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
import { ChunkText, Frame } from '../core/frame.ts'
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

/** Text longer than this is not joined with its newline: that would copy it. */
const joinedTextLength = 64 * 1024

/** Each frame with a newline behind it; the text of all small frames leaves as one piece. */
export function encodeLines(frames: readonly OutgoingFrame[]): readonly OutgoingFrame[] {
  const pieces: OutgoingFrame[] = []
  let text = ''
  for (const frame of frames) {
    if (typeof frame === 'string' && frame.length <= joinedTextLength) {
      text += `${frame}\n`
      continue
    }
    if (text !== '') pieces.push(text)
    pieces.push(frame)
    text = '\n'
  }
  if (text !== '') pieces.push(text)
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
    const text = new ChunkText(chunk)
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
      index = this.#value(chunk, index, { text, sink })
    }
  }

  quiet(): void {}

  end(): void {
    if (this.#held.length > 0) throw endedInsideFrame(this.#held.length)
  }

  /** Takes one value, or what the chunk has of it; returns the index behind it. */
  #value(chunk: Buffer, start: number, { text, sink }: { text: ChunkText; sink: FrameSink }): number {
    const end = this.#scanner.scan(chunk, start)
    const taken = end < 0 ? chunk.length : end
    const length = this.#held.length + taken - start
    if (length > this.#limits.maxFrameBytes) throw frameTooLarge(this.#limits, length)
    if (end < 0) this.#held.add(start === 0 ? chunk : chunk.subarray(start))
    else if (this.#held.length === 0) sink(new Frame(chunk, start, end, text))
    else sink(new Frame(this.#held.take(chunk.subarray(start, end))))
    return taken
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
