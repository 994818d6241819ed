/**
 * Values as `structuredClone` takes them, for the threads of one process. Nothing is checked on the way in: bytes from
 * anywhere else must never come here. Bytes in a value are views of the frame.
 */

import { deserialize, serialize } from 'node:v8'
import { PosternError } from '../core/errors.ts'
import { type BinaryCodec, type DecodeOptions, RawValue } from './codec.ts'

/** The codec between the threads of one process. */
export const structured: BinaryCodec = { name: 'structured', encode, decode, peekIntegers: () => [] }

function encode(value: unknown): Uint8Array {
  try {
    return serialize(value)
  } catch (cause) {
    throw new TypeError(`the value cannot be cloned for another thread: ${(cause as Error).message}`, { cause })
  }
}

function decode(frame: Uint8Array, { rawItem }: DecodeOptions = {}): unknown {
  const value = cloned(frame)
  if (rawItem !== undefined && Array.isArray(value) && rawItem < value.length) {
    value[rawItem] = new RawValue(serialize(value[rawItem]))
  }
  return value
}

function cloned(frame: Uint8Array): unknown {
  try {
    return deserialize(frame) as unknown
  } catch (cause) {
    throw new PosternError('bad_frame', 'a frame is no value of another thread', { cause })
  }
}
