/**
 * One JSON value a line: what everybody writes and what a client reads.
 *
 * ```
 * {"jsonrpc":"2.0",...}\n{"jsonrpc":"2.0",...}\r\n\n[...]\n
 * ```
 *
 * The newline is found by the native search and nothing else is looked at; it always ends a value. Some servers send
 * none, or glue values together: where the stream falls quiet behind a closing bracket, or `}{` stands in a line, the
 * JSON scanner looks for the ends of values instead, up to the next newline.
 */

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
import { encodeLines, isWhiteSpace, JsonStreamDecoder, notJson, opensValue } from './json-stream.ts'

/** One JSON value a line. */
export const newline: Framing = {
  name: 'newline',
  decoder: (limits) => new NewlineDecoder(limits),
  encode: encodeLines,
}

const newlineByte = 0x0a
const openBrace = 0x7b
const closesValue = (byte: number | undefined): boolean => byte === 0x7d || byte === 0x5d

class NewlineDecoder implements FrameDecoder {
  readonly #limits: FrameLimits
  readonly #held = new FrameBuffer()
  /** Looks for the ends of values in our place until the line ends. */
  #scanning: JsonStreamDecoder | undefined
  /** The last byte held that is no white space. */
  #lastByte: number | undefined

  constructor(limits: FrameLimits) {
    this.#limits = limits
  }

  get pendingBytes(): number {
    return this.#scanning?.pendingBytes ?? this.#held.length
  }

  get undecided(): boolean {
    return this.#held.length > 0 && closesValue(this.#lastByte)
  }

  head(): Buffer {
    return this.#scanning?.head() ?? this.#held.head()
  }

  push(chunk: Buffer, sink: FrameSink): void {
    const lines = new ChunkLines(chunk)
    let start = 0
    let end = chunk.indexOf(newlineByte)
    while (end >= 0) {
      if (this.#held.length === 0 && this.#scanning === undefined) this.#wholeLine(lines, start, end, sink)
      else this.#endLine(chunk.subarray(start, end), sink)
      start = end + 1
      end = chunk.indexOf(newlineByte, start)
    }
    if (start < chunk.length) this.#addToLine(start === 0 ? chunk : chunk.subarray(start), sink)
  }

  quiet(sink: FrameSink): void {
    if (this.undecided) this.#scanLine(sink)
  }

  end(sink: FrameSink): void {
    this.#scanLine(sink)
    if (this.pendingBytes > 0) throw endedInsideFrame(this.pendingBytes)
  }

  /** Hands the line over to the scanner. */
  #scanLine(sink: FrameSink): void {
    if (this.#scanning !== undefined) return
    const scanning = new JsonStreamDecoder(this.#limits)
    this.#scanning = scanning
    for (const piece of this.#held.takePieces()) scanning.push(piece, sink)
  }

  /** Takes a line that lies in one chunk. */
  #wholeLine(lines: ChunkLines, from: number, to: number, sink: FrameSink): void {
    const { chunk } = lines
    const start = firstSolidByte(chunk, from, to)
    const end = behindLastSolidByte(chunk, start, to)
    if (start === end) return
    if (!opensValue(chunk[start] as number)) throw notJson(chunk.subarray(start, to))
    this.#checkLength(to - start)
    if (lines.mayBeGlued && isGlued(chunk.subarray(start, end))) this.#splitLine(chunk.subarray(start, end), sink)
    else sink(new Frame(chunk, start, end, lines.text))
  }

  /** Takes the last piece of a line that came in several. */
  #endLine(piece: Buffer, sink: FrameSink): void {
    if (this.#scanning !== undefined) {
      this.#scanning.push(piece, sink)
      if (this.#scanning.pendingBytes > 0) throw notJson(this.#scanning.head())
      this.#scanning = undefined
      return
    }
    this.#checkLength(piece.length)
    const line = this.#held.take(piece)
    const end = behindLastSolidByte(line, 0, line.length)
    if (isGlued(line)) this.#splitLine(line, sink)
    else sink(new Frame(line, 0, end))
  }

  /** Several values in one line, or a string that looks like it. */
  #splitLine(line: Buffer, sink: FrameSink): void {
    const splitter = new JsonStreamDecoder(this.#limits)
    splitter.push(line, sink)
    if (splitter.pendingBytes > 0) throw notJson(line)
  }

  /** Keeps a piece of a line, unless it can already be seen that this is no JSON or too much of it. */
  #addToLine(rest: Buffer, sink: FrameSink): void {
    if (this.#scanning !== undefined) {
      this.#scanning.push(rest, sink)
      return
    }
    const start = this.#held.length === 0 ? firstSolidByte(rest, 0, rest.length) : 0
    const length = rest.length - start
    if (length === 0) return
    this.#checkLength(length)
    if (this.#held.length === 0 && !opensValue(rest[start] as number)) throw notJson(rest.subarray(start))
    const end = behindLastSolidByte(rest, start, rest.length)
    if (end > start) this.#lastByte = rest[end - 1]
    this.#held.add(start === 0 ? rest : rest.subarray(start))
  }

  #checkLength(added: number): void {
    const length = this.#held.length + added
    if (length > this.#limits.maxFrameBytes) throw frameTooLarge(this.#limits, length)
  }
}

/** What the lines of one chunk share. */
class ChunkLines {
  readonly chunk: Buffer
  readonly text: ChunkText
  #mayBeGlued: boolean | undefined

  constructor(chunk: Buffer) {
    this.chunk = chunk
    this.text = new ChunkText(chunk)
  }

  /** False when no line of the chunk can hold several values: looked up once for all of them. */
  get mayBeGlued(): boolean {
    this.#mayBeGlued ??= this.text.includesAny(glues)
    return this.#mayBeGlued
  }
}

const glues = ['}{', '}[', ']{', ']['] as const

/** Whether a value seems to begin directly behind the end of another, which within one value only a string can hold. */
function isGlued(line: Buffer): boolean {
  const [braceBehind, bracketBehind] = line[0] === openBrace ? ['}{', '}['] : [']{', '][']
  return line.indexOf(braceBehind, 1, 'latin1') >= 0 || line.indexOf(bracketBehind, 1, 'latin1') >= 0
}

function firstSolidByte(bytes: Buffer, from: number, to: number): number {
  let index = from
  while (index < to && isWhiteSpace(bytes[index] as number)) index++
  return index
}

function behindLastSolidByte(bytes: Buffer, from: number, to: number): number {
  let index = to
  while (index > from && isWhiteSpace(bytes[index - 1] as number)) index--
  return index
}
