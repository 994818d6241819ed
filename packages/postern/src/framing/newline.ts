/**
 * One JSON value a line: what everybody writes and what a client reads.
 *
 * ```
 * {"jsonrpc":"2.0",...}\n{"jsonrpc":"2.0",...}\r\n\n[...]\n
 * ```
 *
 * The newline is found by the native search and nothing else is looked at. Some servers send none, or glue values
 * together: where the stream falls quiet behind a closing bracket, or `}{` stands in a line, the JSON scanner looks
 * for the end of the value instead, until a newline comes between two values again.
 */

import { FrameBuffer } from './frame-buffer.ts'
import { endedInsideFrame, type FrameDecoder, type FrameLimits, type FrameSink, type Framing, frameTooLarge } from './framing.ts'
import { encodeLines, isWhiteSpace, JsonStreamDecoder, notJson, opensValue } from './json-stream.ts'

/** One JSON value a line. */
export const newline: Framing = {
  name: 'newline',
  decoder: (limits) => new NewlineDecoder(limits),
  encode: encodeLines,
}

const newlineByte = 0x0a
const closesValue = (byte: number | undefined): boolean => byte === 0x7d || byte === 0x5d

class NewlineDecoder implements FrameDecoder {
  readonly #limits: FrameLimits
  readonly #held = new FrameBuffer()
  /** Reads in our place while no newline marks the end of a value. */
  #scanning: JsonStreamDecoder | undefined
  #lastByte: number | undefined

  constructor(limits: FrameLimits) {
    this.#limits = limits
  }

  get pendingBytes(): number {
    return this.#scanning?.pendingBytes ?? this.#held.length
  }

  get undecided(): boolean {
    return this.#scanning === undefined && closesValue(this.#lastByte)
  }

  head(): Buffer {
    return this.#scanning?.head() ?? this.#held.head()
  }

  push(chunk: Buffer, sink: FrameSink): void {
    let start = 0
    if (this.#scanning !== undefined) {
      start = this.#scanning.pushToNewline(chunk, sink)
      // Behind a newline the fast path goes on; without one the scanner has taken the whole chunk.
      if (chunk[start - 1] !== newlineByte || this.#scanning.pendingBytes > 0) return
      this.#scanning = undefined
    }
    let end = chunk.indexOf(newlineByte, start)
    while (end >= 0) {
      this.#line(start === end ? emptyBuffer : chunk.subarray(start, end), sink)
      start = end + 1
      end = chunk.indexOf(newlineByte, start)
    }
    this.#hold(start === 0 ? chunk : chunk.subarray(start))
  }

  quiet(sink: FrameSink): void {
    if (!this.undecided) return
    const scanning = new JsonStreamDecoder(this.#limits)
    this.#scanning = scanning
    this.#lastByte = undefined
    for (const piece of this.#held.takePieces()) scanning.push(piece, sink)
  }

  end(sink: FrameSink): void {
    this.quiet(sink)
    if (this.pendingBytes > 0) throw endedInsideFrame(this.pendingBytes)
  }

  /** Takes the last piece of a line. */
  #line(piece: Buffer, sink: FrameSink): void {
    this.#checkLength(piece.length)
    const line = fromFirstSolidByte(this.#held.take(piece))
    this.#lastByte = undefined
    if (line.length === 0) return
    if (!opensValue(line[0] as number)) throw notJson(line)
    if (line.indexOf('}{') < 0) sink(line)
    else this.#glued(line, sink)
  }

  /** Several values in one line, or a string that holds `}{`. */
  #glued(line: Buffer, sink: FrameSink): void {
    const splitter = new JsonStreamDecoder(this.#limits)
    splitter.push(line, sink)
    if (splitter.pendingBytes > 0) throw notJson(line)
  }

  /** Keeps the beginning of a line, unless it can already be seen that this is no JSON or too much of it. */
  #hold(rest: Buffer): void {
    const piece = this.#held.length === 0 ? fromFirstSolidByte(rest) : rest
    if (piece.length === 0) return
    this.#checkLength(piece.length)
    if (this.#held.length === 0 && !opensValue(piece[0] as number)) throw notJson(piece)
    this.#held.add(piece)
    this.#lastByte = lastSolidByte(piece) ?? this.#lastByte
  }

  #checkLength(added: number): void {
    const length = this.#held.length + added
    if (length > this.#limits.maxFrameBytes) throw frameTooLarge(this.#limits, length)
  }
}

function fromFirstSolidByte(bytes: Buffer): Buffer {
  let index = 0
  while (index < bytes.length && isWhiteSpace(bytes[index] as number)) index++
  return index === 0 ? bytes : bytes.subarray(index)
}

function lastSolidByte(bytes: Buffer): number | undefined {
  let index = bytes.length - 1
  while (index >= 0 && isWhiteSpace(bytes[index] as number)) index--
  return bytes[index]
}

const emptyBuffer = Buffer.alloc(0)
