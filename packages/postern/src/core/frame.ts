/**
 * The bytes of one message on its way in, as they lie in the chunk that brought them: nothing is copied or decoded
 * before somebody asks.
 */

import { isAscii, isUtf8 } from 'node:buffer'

/** From this length on, asking for ASCII and copying it costs less than decoding UTF-8. */
const worthAsking = 4 * 1024

export class Frame {
  /** Bytes in the frame. */
  readonly length: number
  readonly #chunk: Buffer
  readonly #start: number
  readonly #text: ChunkText | undefined

  /** The bytes of `chunk` from `start` up to `end`; `text` where the frames of the chunk can be decoded together. */
  constructor(chunk: Buffer, start = 0, end: number = chunk.length, text?: ChunkText) {
    this.length = end - start
    this.#chunk = chunk
    this.#start = start
    this.#text = text
  }

  /** The bytes themselves. They belong to the receiver. */
  get bytes(): Buffer {
    const end = this.#start + this.length
    return this.#start === 0 && end === this.#chunk.length ? this.#chunk : this.#chunk.subarray(this.#start, end)
  }

  /** The bytes as text; undefined when they are not UTF-8 to the letter. */
  text(): string | undefined {
    const start = this.#start
    const end = start + this.length
    const shared = this.#text?.slice(start, end)
    if (shared !== undefined) return shared
    if (this.length >= worthAsking && isAscii(this.bytes)) return this.#chunk.toString('latin1', start, end)
    const text = this.#chunk.toString('utf8', start, end)
    // A wrong byte becomes U+FFFD. Looking for that is free in text of one-byte characters, which most is.
    return text.includes('\ufffd') && !isUtf8(this.bytes) ? undefined : text
  }
}

/**
 * The text of all whole lines of a chunk, decoded in one go when the first is asked for: for small frames that is
 * cheaper than one by one. Only for ASCII, where bytes and characters stand at the same places.
 */
export class ChunkText {
  readonly #chunk: Buffer
  /** Null when the chunk has not been looked at; empty when it cannot be decoded together. */
  #text: string | null = null

  constructor(chunk: Buffer) {
    this.#chunk = chunk
  }

  /** Whether one of these ASCII texts stands anywhere in the chunk. */
  includesAny(texts: readonly string[]): boolean {
    this.#text ??= textOfLines(this.#chunk)
    const text = this.#text
    // Searching text that is at hand costs a fifth of a search in bytes.
    if (text.length === this.#chunk.length) return texts.some((each) => text.includes(each))
    return texts.some((each) => this.#chunk.indexOf(each, 0, 'latin1') >= 0)
  }

  slice(start: number, end: number): string | undefined {
    this.#text ??= textOfLines(this.#chunk)
    return end <= this.#text.length ? this.#text.slice(start, end) : undefined
  }
}

const newline = 0x0a

function textOfLines(chunk: Buffer): string {
  const end = chunk.lastIndexOf(newline)
  const lines = end === chunk.length - 1 ? chunk : chunk.subarray(0, end + 1)
  return isAscii(lines) ? lines.toString('latin1') : ''
}
