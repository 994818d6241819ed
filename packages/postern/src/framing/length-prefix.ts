/**
 * Frames with their length before them, as Python's `send_bytes` and many a protocol write them.
 *
 * ```
 * 00 00 00 0d  7b 22 6a ...      the length in 4 bytes, big-endian; then so many bytes
 * ```
 *
 * A length of 0 is refused: no message has no bytes.
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

/** All small frames leave as one piece with their prefixes, which is cheaper than to join them later. */
function encodePrefixed(frames: readonly OutgoingFrame[]): readonly OutgoingFrame[] {
  const pieces: OutgoingFrame[] = []
  let small: OutgoingFrame[] = []
  for (const frame of frames) {
    if (frame.length <= joinedLength) {
      small.push(frame)
      continue
    }
    if (small.length > 0) pieces.push(joined(small))
    small = []
    const prefix = Buffer.allocUnsafe(prefixBytes)
    prefix.writeUInt32BE(bytesOf(frame))
    pieces.push(prefix, frame)
  }
  if (small.length > 0) pieces.push(joined(small))
  return pieces
}

function joined(frames: readonly OutgoingFrame[]): Buffer {
  let bytes = 0
  for (const frame of frames) bytes += prefixBytes + bytesOf(frame)
  const whole = Buffer.allocUnsafeSlow(bytes)
  let offset = 0
  for (const frame of frames) {
    const start = offset + prefixBytes
    const length = typeof frame === 'string' ? whole.write(frame, start) : frame.length
    if (typeof frame !== 'string') whole.set(frame, start)
    whole.writeUInt32BE(length, offset)
    offset = start + length
  }
  return whole
}

function bytesOf(frame: OutgoingFrame): number {
  return typeof frame === 'string' ? Buffer.byteLength(frame) : frame.length
}
