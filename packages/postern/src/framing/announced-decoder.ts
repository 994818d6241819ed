/**
 * Frames whose header says how long they are: a frame over the limit is refused at its header, and the bytes of any
 * other are collected as they arrive, never allocated on the header's word.
 */

import { PosternError } from '../core/errors.ts'
import { ChunkText, Frame } from '../core/frame.ts'
import { FrameBuffer } from './frame-buffer.ts'
import { endedInsideFrame, type FrameDecoder, type FrameLimits, type FrameSink, frameTooLarge } from './framing.ts'

/** Reads one header after the other, however the bytes are cut. */
export interface HeaderReader {
  /**
   * Goes on from `from`. Returns the index behind the header's last byte, or -1 when the chunk ends before the header.
   * Throws `bad_frame` or `limit_exceeded`.
   */
  read(chunk: Buffer, from: number): number
  /** How long the frame is, as the last whole header says. */
  readonly frameBytes: number
}

export class AnnouncedDecoder implements FrameDecoder {
  readonly undecided = false
  readonly #limits: FrameLimits
  readonly #reader: HeaderReader
  /** What came of a header, and of one that is whole until the first byte of its frame. */
  #header: HeaderStart | undefined
  /** The length of the frame whose header was read; 0 while a header is awaited. */
  #frameBytes = 0
  readonly #held = new FrameBuffer()

  constructor(limits: FrameLimits, reader: HeaderReader) {
    this.#limits = limits
    this.#reader = reader
  }

  get pendingBytes(): number {
    return this.#header?.length ?? this.#held.length
  }

  head(): Buffer {
    return this.#header?.bytes ?? this.#held.head()
  }

  push(chunk: Buffer, sink: FrameSink): void {
    const text = new ChunkText(chunk)
    let index = 0
    while (index < chunk.length) {
      index = this.#frameBytes === 0 ? this.#readHeader(chunk, index) : this.#takeFrame(chunk, index, { text, sink })
    }
  }

  quiet(): void {}

  end(): void {
    if (this.pendingBytes > 0) throw endedInsideFrame(this.pendingBytes)
  }

  /** Takes a header, or what the chunk has of it; returns the index behind it. */
  #readHeader(chunk: Buffer, from: number): number {
    const end = this.#reader.read(chunk, from)
    if (end >= 0) {
      const { frameBytes } = this.#reader
      if (frameBytes === 0) throw new PosternError('bad_frame', 'a frame of 0 bytes was announced, which is no message')
      if (frameBytes > this.#limits.maxFrameBytes) throw frameTooLarge(this.#limits, frameBytes)
      this.#frameBytes = frameBytes
      if (end < chunk.length) return end
    }
    this.#header ??= new HeaderStart()
    this.#header.add(from === 0 ? chunk : chunk.subarray(from))
    return chunk.length
  }

  /** Takes the rest of a frame, or what the chunk has of it; returns the index behind it. */
  #takeFrame(chunk: Buffer, from: number, { text, sink }: { text: ChunkText; sink: FrameSink }): number {
    this.#header = undefined
    const end = from + this.#frameBytes - this.#held.length
    if (end > chunk.length) {
      this.#held.add(from === 0 ? chunk : chunk.subarray(from))
      return chunk.length
    }
    this.#frameBytes = 0
    if (this.#held.length > 0) sink(new Frame(this.#held.take(chunk.subarray(from, end))))
    // Behind the last frame there is no further header, up to whose end text could be decoded together.
    else sink(end < chunk.length ? new Frame(chunk, from, end, text) : new Frame(chunk, from, end))
    return end
  }
}

/** As much of a header as `head` must show. */
const shownBytes = 128

/** The bytes of a header: counted, and the first of them kept. */
class HeaderStart {
  length = 0
  readonly #shown = Buffer.allocUnsafe(shownBytes)

  get bytes(): Buffer {
    return this.#shown.subarray(0, Math.min(this.length, shownBytes))
  }

  add(piece: Buffer): void {
    if (this.length < shownBytes) piece.copy(this.#shown, this.length)
    this.length += piece.length
  }
}
