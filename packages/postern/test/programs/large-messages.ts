/**
 * Messages of 1 to 4 MB that show whether they are whole:
 *
 * ```
 * 00 00 00 07  00 30 00 00  9f 86 ...  ...      its number, its length, the SHA-256 of its body, its body
 * ```
 */

import { createHash, randomFillSync, randomInt } from 'node:crypto'

const leastBytes = 1_000_000
const mostBytes = 4_000_000
const hashBytes = 32
export const headerBytes: number = 4 + 4 + hashBytes

/** A message of random length and content. */
export function largeMessage(number: number): Buffer {
  const message = Buffer.allocUnsafeSlow(randomInt(leastBytes, mostBytes + 1))
  const body = randomFillSync(message.subarray(headerBytes))
  message.writeUInt32BE(number)
  message.writeUInt32BE(message.length, 4)
  hashOf(body).copy(message, 8)
  return message
}

/** The length that the header of a message tells. */
export function lengthOf(header: Uint8Array): number {
  return Buffer.from(header.buffer, header.byteOffset, headerBytes).readUInt32BE(4)
}

/** What is wrong with a message that should have this number; undefined: nothing. */
export function faultOf(message: Buffer, number: number): string | undefined {
  if (message.readUInt32BE() !== number) return `number ${message.readUInt32BE()} came for ${number}`
  if (lengthOf(message) !== message.length)
    return `message ${number} of ${lengthOf(message)} bytes has ${message.length}`
  const whole = hashOf(message.subarray(headerBytes)).equals(message.subarray(8, headerBytes))
  return whole ? undefined : `message ${number} is torn`
}

function hashOf(body: Uint8Array): Buffer {
  return createHash('sha256').update(body).digest()
}
