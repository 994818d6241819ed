/**
 * JSON, exact or an error: text must be valid UTF-8, whole numbers keep all their digits, and a value that JSON cannot
 * carry is refused instead of becoming `null` or `{}`.
 */

import { isUtf8 } from 'node:buffer'
import { PosternError } from '../core/errors.ts'
import { excerpt } from '../core/escape.ts'
import { type Codec, type DecodeOptions, RawValue } from './codec.ts'
import { findLoss, type Loss } from './json-loss.ts'
import { memberRange } from './json-members.ts'
import { mayChangeNumbers, parseWithBigInts, shorten, unsafeIntegers } from './json-numbers.ts'

/** The JSON codec. */
export const json: Codec = { name: 'json', encode: encodeJson, decode }

/** The text of a value. Throws `TypeError` for one that JSON cannot carry, naming where in it. */
export function encodeJson(value: unknown): string {
  const loss = findLoss(value)
  if (loss === undefined) return JSON.stringify(value)
  if (loss === 'negative zero') return stringifyNegativeZeros(value)
  throw new TypeError(describeLoss(loss))
}

function describeLoss({ path, what }: Exclude<Loss, string>): string {
  const where = path === '' ? 'the value' : path
  return `${where} is ${what}, which JSON cannot carry; send it as a string, or use codec=msgpack or codec=cbor`
}

/** Stands for -0 while `JSON.stringify`, which knows no -0, writes the rest; random, so that no text can be taken for it. */
const negativeZero = `-0:${crypto.randomUUID()}`

function stringifyNegativeZeros(value: unknown): string {
  const text = JSON.stringify(value, (_key, item: unknown) => (Object.is(item, -0) ? negativeZero : item))
  return text.replaceAll(`"${negativeZero}"`, '-0')
}

function decode(frame: Uint8Array, options: DecodeOptions = {}): unknown {
  const bytes = Buffer.isBuffer(frame) ? frame : Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength)
  if (options.rawMember !== undefined) return decodeAround(bytes, options.rawMember, options)
  const text = decodeText(bytes)
  const value = parse(text, bytes)
  if (options.integers === 'number' || !mayChangeNumbers(text)) return value
  const unsafe = unsafeIntegers(text)
  if (unsafe.length === 0) return value
  if (options.integers === 'error') throw unsafeInteger(text.slice(unsafe[0]?.start, unsafe[0]?.end))
  return parseWithBigInts(text, unsafe)
}

/** The text of the bytes, which must be UTF-8 to the letter. */
function decodeText(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  // A wrong byte becomes U+FFFD. Looking for that is free in text of one-byte characters, which most is.
  if (text.includes('\ufffd') && !isUtf8(bytes)) {
    throw new PosternError('bad_frame', 'a frame is not valid UTF-8')
  }
  return text
}

function parse(text: string, bytes: Buffer): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new PosternError('bad_frame', `a frame is not JSON: ${excerpt(bytes)}`, { cause })
  }
}

function unsafeInteger(digits: string): PosternError {
  return new PosternError(
    'bad_message',
    `the integer ${shorten(digits)} is beyond 2^53 - 1 and would be rounded; send it as a string, or use codec=msgpack`,
  )
}

/** Decodes an object but for one member, whose bytes it leaves as they are. */
function decodeAround(bytes: Buffer, member: string, options: DecodeOptions): unknown {
  const range = memberRange(bytes, member)
  const { rawMember: _, ...rest } = options
  if (range === undefined) return decode(bytes, rest)
  const hole = Buffer.from('null')
  const outside = Buffer.allocUnsafe(bytes.length - (range.end - range.start) + hole.length)
  bytes.copy(outside, 0, 0, range.start)
  hole.copy(outside, range.start)
  bytes.copy(outside, range.start + hole.length, range.end)
  const value = decode(outside, rest) as Record<string, unknown>
  value[member] = new RawValue(bytes.subarray(range.start, range.end))
  return value
}
