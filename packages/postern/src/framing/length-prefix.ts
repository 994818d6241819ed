/**
 * Frames with their length before them, as Python's `send_bytes` and many a protocol write them.
 *
 * ```
 * 00 00 00 0d  7b 22 6a ...      the length in 4 bytes, big-endian; then so many bytes
 * ```
 *
 * A length of 0 is refused, and a frame of no bytes not written: no message has none.
 */

import type { OutgoingFrame } from '../core/channel.ts'
import { AnnouncedDecoder, type HeaderReader } from './announced-decoder.ts'
import type { Framing } from './framing.ts'

/** A length of 4 bytes, big-endian, then the frame. */
export const lengthPrefix: Framing = {
  name: 'length-prefix',
  decoder: (limits) => new AnnouncedDecoder(limits, new PrefixReader()),
  encode: encodePrefixed,
}

const prefixBytes = 4

class PrefixReader implements HeaderReader {
  frameBytes = 0
  #length = 0
  #seen = 0

  read(chunk: Buffer, from: number): number {
    let index = from
    while (index < chunk.length) {
      this.#length = this.#length * 256 + (chunk[index++] as number)
      if (++this.#seen < prefixBytes) continue
      this.frameBytes = this.#length
      this.#length = 0
      this.#seen = 0
      return index
    }
    return -1
  }
}

/** A frame longer than this is not joined with others: that would copy it. */
const joinedLength = 64 * 1024

/** All small frames leave as one piece with their prefixes; a large one stays by itself behind its own. */
function encodePrefixed(frames: readonly OutgoingFrame[]): readonly OutgoingFrame[] {
  const pieces: OutgoingFrame[] = []
  let small: OutgoingFrame[] = []
  const joinSmall = (): void => {
    if (small.length > 0) pieces.push(joined(small))
    small = []
  }
  for (const frame of frames) {
    if (frame.length <= joinedLength) {
      if (frame.length > 0) small.push(frame)
      continue
    }
    joinSmall()
    const prefix = Buffer.allocUnsafe(prefixBytes)
    // Text is encoded here, since the length must be known first and the encoding tells it.
    const bytes = asBytes(frame)
    prefix.writeUInt32BE(bytes.length)
    pieces.push(prefix, bytes)
  }
  joinSmall()
  return pieces
}

function joined(frames: readonly OutgoingFrame[]): Buffer {
  return frames.every((frame) => typeof frame === 'string') ? joinedTexts(frames) : joinedBytes(frames.map(asBytes))
}

/** Encodes all texts in one go, with room for the prefixes: one by one costs four times as much. */
function joinedTexts(texts: readonly string[]): Buffer {
  let all = ''
  for (const text of texts) all += `\0\0\0\0${text}`
  const whole = Buffer.from(all)
  const isAscii = whole.length === all.length
  let offset = 0
  for (const text of texts) {
    const length = isAscii ? text.length : Buffer.byteLength(text)
    whole.writeUInt32BE(length, offset)
    offset += prefixBytes + length
  }
  return whole
}

function joinedBytes(frames: readonly Uint8Array[]): Buffer {
  let length = 0
  for (const frame of frames) length += prefixBytes + frame.length
  const whole = Buffer.allocUnsafe(length)
  let offset = 0
  for (const frame of frames) {
    whole.set(frame, whole.writeUInt32BE(frame.length, offset))
    offset += prefixBytes + frame.length
  }
  return whole
}

function asBytes(frame: OutgoingFrame): Uint8Array {
  return typeof frame === 'string' ? Buffer.from(frame) : frame
}
