/**
 * Numbers in JSON text that `JSON.parse` changes without a word: whole numbers beyond 2^53 - 1, which it rounds, and
 * numbers beyond 1.8e308, which become Infinity. A number written with a fraction or an exponent is a double, to
 * everybody who reads JSON, and as exact as a double.
 *
 * Node 20 gives a reviver no source text. But a number that was changed is still a large one, so the parsed value is
 * walked for those (`bench/calls` prints what that costs), and only where there is one is the text read number by number.
 */

import { PosternError } from '../core/errors.ts'
import { numberMark } from './json-mark.ts'

/** Where a number stands in the text. */
export interface TextRange {
  readonly start: number
  readonly end: number
}

/** Below this the walk recurses; what nests deeper is read from its text, which takes no stack. */
const maxWalkDepth = 500

/** False when no number of a parsed value can have been changed; true when one may have been. */
export function mayHoldChangedNumber(value: unknown, depth = 0): boolean {
  if (typeof value === 'number') return value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER
  if (typeof value !== 'object' || value === null) return false
  if (depth > maxWalkDepth) return true
  if (Array.isArray(value)) {
    for (const item of value) if (mayHoldChangedNumber(item, depth + 1)) return true
    return false
  }
  for (const key in value) {
    if (mayHoldChangedNumber((value as Record<string, unknown>)[key], depth + 1)) return true
  }
  return false
}

const numberPattern = /-?\d+(\.\d+)?([eE][+-]?\d+)?/y

/**
 * Where unsafe whole numbers stand in valid JSON text.
 *
 * Throws `bad_message` for a number beyond the range of a double.
 */
export function unsafeIntegers(text: string): readonly TextRange[] {
  const found: TextRange[] = []
  let index = 0
  while (index < text.length) {
    const code = text.charCodeAt(index)
    if (code === 0x22) index = behindString(text, index)
    else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      numberPattern.lastIndex = index
      const match = numberPattern.exec(text)
      const end = index + (match?.[0].length ?? 1)
      if (match !== null && isUnsafeInteger(match)) found.push({ start: index, end })
      index = end
    } else index++
  }
  return found
}

function isUnsafeInteger([literal, fraction, exponent]: RegExpExecArray): boolean {
  if (fraction === undefined && exponent === undefined) {
    const digits = literal.startsWith('-') ? literal.length - 1 : literal.length
    if (digits > maxIntegerDigits) {
      throw new PosternError('bad_message', `the integer ${shorten(literal)} has more than ${maxIntegerDigits} digits`)
    }
    return !Number.isSafeInteger(Number(literal))
  }
  checkFinite(literal)
  return false
}

/** Throws `bad_message` for a number that would become Infinity. */
export function checkFinite(literal: string): void {
  if (Number.isFinite(Number(literal))) return
  throw new PosternError('bad_message', `the number ${shorten(literal)} is beyond the range of a double`)
}

function behindString(text: string, open: number): number {
  let close = text.indexOf('"', open + 1)
  for (;;) {
    let backslashes = 0
    while (text.charCodeAt(close - 1 - backslashes) === 0x5c) backslashes++
    if (backslashes % 2 === 0) return close + 1
    close = text.indexOf('"', close + 1)
  }
}

/** `BigInt` takes more than linear time; Python stops reading integers at this length too. */
const maxIntegerDigits = 4_300

/** A literal as it may stand in a message. */
export function shorten(literal: string): string {
  return literal.length > 40 ? `${literal.slice(0, 40)}…` : literal
}

/** The error for an unsafe integer where exact ones are asked for. */
export function unsafeInteger(digits: string): PosternError {
  return new PosternError(
    'bad_message',
    `the integer ${shorten(digits)} is beyond 2^53 - 1 and would be rounded; send it as a string`,
  )
}

/** Parses valid JSON text, with the integers at these places as bigint. */
export function parseWithBigInts(text: string, integers: readonly TextRange[]): unknown {
  const mark = numberMark()
  const parts: string[] = []
  let copied = 0
  for (const { start, end } of integers) {
    parts.push(text.slice(copied, start), `"${mark}${text.slice(start, end)}"`)
    copied = end
  }
  parts.push(text.slice(copied))
  const root: Container = { value: JSON.parse(parts.join('')) }
  // Not by a reviver: that recurses, and a client bounds no nesting.
  const containers = [root]
  for (let container = containers.pop(); container !== undefined; container = containers.pop()) {
    for (const key of Object.keys(container)) {
      const item = container[key]
      if (typeof item === 'object' && item !== null) containers.push(item as Container)
      else if (typeof item === 'string' && item.startsWith(mark)) container[key] = BigInt(item.slice(mark.length))
    }
  }
  return root['value']
}

type Container = Record<string, unknown>
