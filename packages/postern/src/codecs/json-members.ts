/**
 * Where a member's value stands in the bytes of a JSON object, found without building anything.
 */

import { JsonScanner } from '../framing/json-scanner.ts'
import { isWhiteSpace, opensValue } from '../framing/json-stream.ts'

/** From the first byte of the value to behind its last. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const colon = 0x3a
const openBrace = 0x7b

/**
 * The last member of that name at the top of an object, as `JSON.parse` would take it. Undefined when there is none, or
 * the bytes are no object: parsing them then says why.
 */
export function memberRange(bytes: Buffer, name: string): ByteRange | undefined {
  const key = Buffer.from(JSON.stringify(name))
  let found: ByteRange | undefined
  let index = behindSpace(bytes, 0)
  if (bytes[index] !== openBrace) return undefined
  do {
    const keyStart = behindSpace(bytes, index + 1)
    if (bytes[keyStart] !== quote) break
    const keyEnd = behindString(bytes, keyStart)
    const separator = behindSpace(bytes, keyEnd)
    if (bytes[separator] !== colon) break
    const start = behindSpace(bytes, separator + 1)
    const end = behindValue(bytes, start)
    if (end < 0) return undefined
    if (isKey(bytes.subarray(keyStart, keyEnd), key, name)) found = { start, end }
    index = behindSpace(bytes, end)
  } while (bytes[index] === comma)
  return found
}

function isKey(bytes: Buffer, key: Buffer, name: string): boolean {
  // A key may be written with escapes that it does not need.
  return bytes.includes(backslash) ? parse(bytes) === name : bytes.equals(key)
}

/** The value of some JSON, or undefined when it is none. */
function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}

function behindSpace(bytes: Buffer, from: number): number {
  let index = from
  while (index < bytes.length && isWhiteSpace(bytes[index] as number)) index++
  return index
}

const unbounded = Number.POSITIVE_INFINITY

/** Behind the value that begins at `start`, or -1 when none does. */
function behindValue(bytes: Buffer, start: number): number {
  const first = bytes[start] ?? 0
  if (first === quote) return behindString(bytes, start)
  if (!opensValue(first)) return behindScalar(bytes, start)
  const scanner = new JsonScanner({ maxDepth: unbounded, maxContainers: unbounded, maxNames: unbounded })
  const end = scanner.scan(bytes, start)
  return end < 0 ? bytes.length : end
}

/** A number, true, false or null ends at the next byte that is none of their characters. */
function behindScalar(bytes: Buffer, start: number): number {
  let index = start
  while (index < bytes.length && /[-+.\w]/.test(String.fromCharCode(bytes[index] as number))) index++
  return parse(bytes.subarray(start, index)) === undefined ? -1 : index
}

function behindString(bytes: Buffer, open: number): number {
  let close = bytes.indexOf(quote, open + 1)
  while (close >= 0) {
    let backslashes = 0
    while (bytes[close - 1 - backslashes] === backslash) backslashes++
    if (backslashes % 2 === 0) return close + 1
    close = bytes.indexOf(quote, close + 1)
  }
  return bytes.length
}
