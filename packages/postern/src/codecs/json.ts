/**
 * JSON, exact or an error: text must be valid UTF-8, whole numbers keep all their digits, and a value that JSON cannot
 * carry is refused instead of becoming `null` or `{}`.
 */

import { constants, isUtf8 } from 'node:buffer'
import { PosternError } from '../core/errors.ts'
import { excerptOfText } from '../core/escape.ts'
import { Frame } from '../core/frame.ts'
import { type Codec, type DecodeOptions, RawValue } from './codec.ts'
import { findLoss, isChangedNumber } from './json-loss.ts'
import { numberMark } from './json-mark.ts'
import { memberRange } from './json-members.ts'
import { checkFinite, mayHoldChangedNumber, parseWithBigInts, unsafeInteger, unsafeIntegers } from './json-numbers.ts'
import { describeLoss } from './loss.ts'

/** The JSON codec. */
export const json: Codec = { name: 'json', encode: encodeJson, decode }

/** The text of a value. Throws `TypeError` for one that JSON cannot carry, naming where in it. */
export function encodeJson(value: unknown): string {
  const loss = findLoss(value)
  if (loss !== undefined && loss !== 'changed number') throw new TypeError(describeLoss(loss, 'JSON'))
  return withinOneString(() => (loss === undefined ? JSON.stringify(value) : stringifyExactly(value)))
}

/** As `JSON.stringify`, with every number as it is read again. */
function stringifyExactly(value: unknown): string {
  const mark = numberMark()
  const text = JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'number' && isChangedNumber(item) ? `${mark}${exactLiteral(item)}` : item,
  )
  return text.replaceAll(new RegExp(`"${mark}([^"]*)"`, 'g'), '$1')
}

/** With an exponent, from where on a number is no exact integer: what it would be written as is another one. */
function exactLiteral(number: number): string {
  return number === 0 ? '-0' : number.toExponential()
}

function decode(bytes: Uint8Array, options: DecodeOptions = {}): unknown {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return decodeJson(new Frame(buffer), options)
}

/** Like `decode`, for a frame that may have its text at hand. */
export function decodeJson(frame: Frame, options: DecodeOptions): unknown {
  if (options.rawMember !== undefined) return decodeAround(frame.bytes, options.rawMember, options)
  const text = withinOneString(() => frame.text())
  if (text === undefined) throw notUtf8()
  const value = parse(text)
  if (!mayHoldChangedNumber(value)) return value
  const unsafe = unsafeIntegers(text)
  const [first] = unsafe
  if (first === undefined) return value
  switch (options.integers ?? 'bigint') {
    case 'error':
      throw unsafeInteger(text.slice(first.start, first.end))
    case 'number':
      for (const { start, end } of unsafe) checkFinite(text.slice(start, end))
      return value
    case 'bigint':
      return withinOneString(() => parseWithBigInts(text, unsafe))
  }
}

/** Runs what makes one string, and says so where that would be longer than a string can be. */
function withinOneString<T>(make: () => T): T {
  try {
    return make()
  } catch (cause) {
    if (!isTooLong(cause)) throw cause
    const sentence = `a frame has more than ${constants.MAX_STRING_LENGTH} characters, where strings end`
    throw new PosternError('frame_too_large', sentence, { cause })
  }
}

/** Node says it with a code, V8 with a text. */
function isTooLong(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return 'code' in error ? error.code === 'ERR_STRING_TOO_LONG' : error.message === 'Invalid string length'
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new PosternError('bad_frame', `a frame is not JSON: ${excerptOfText(text)}`, { cause })
  }
}

function notUtf8(): PosternError {
  return new PosternError('bad_frame', 'a frame is not valid UTF-8')
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
  const raw = bytes.subarray(range.start, range.end)
  if (!isUtf8(raw)) throw notUtf8()
  value[member] = new RawValue(raw)
  return value
}
