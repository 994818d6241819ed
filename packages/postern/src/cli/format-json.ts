/**
 * Values as JSON text that every terminal and every parser may be given: whole numbers keep their digits, and what a
 * terminal could obey stands as a `\u` escape, which means the same to a parser.
 */

import { styleText } from 'node:util'
import { PosternError } from '../core/errors.ts'
import { escapeText } from '../core/escape.ts'

/** How JSON is to look. */
export interface JsonStyle {
  /** Over several lines, two spaces a level; else on one line. */
  readonly pretty?: boolean
  readonly colour?: boolean
}

/**
 * The value as JSON text. Bigints are written as numbers, bytes as base64.
 *
 * Throws `limit_exceeded` for a value that is nested more deeply, or longer, than can be formatted.
 */
export function formatJson(value: unknown, { pretty = false, colour = false }: JsonStyle = {}): string {
  const text = escapeLines(stringify(value, pretty ? 2 : 0))
  return colour && text.length <= maxColouredLength ? colourJson(text) : text
}

/** Beyond this nobody reads it, and the expression below would run out of stack in a long string. */
const maxColouredLength = 1_000_000

function stringify(value: unknown, indent: number): string {
  try {
    if (!hasUnusual(value)) return JSON.stringify(value ?? null, undefined, indent)
    const text = JSON.stringify(value, writeUnusual, indent)
    return text.replaceAll(markedNumber, '$1')
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const sentence = 'the answer is nested too deeply, or too long, to be formatted; postern call --raw gives its bytes'
    throw new PosternError('limit_exceeded', sentence, { cause: error })
  }
}

/** Whether a value holds what `JSON.stringify` refuses (a bigint) or changes (-0, bytes). Goes as deep as the value does. */
function hasUnusual(value: unknown): boolean {
  const waiting: unknown[] = [value]
  while (waiting.length > 0) {
    const next = waiting.pop()
    if (isUnusualNumber(next) || next instanceof Uint8Array) return true
    if (typeof next !== 'object' || next === null) continue
    for (const item of Array.isArray(next) ? (next as unknown[]) : Object.values(next)) waiting.push(item)
  }
  return false
}

function isUnusualNumber(value: unknown): value is bigint | number {
  return typeof value === 'bigint' || Object.is(value, -0)
}

/** Random, so that no string of the value can be taken for a number. */
const mark = `number:${crypto.randomUUID()}:`
const markedNumber = new RegExp(`"${mark}(-?\\d+)"`, 'g')

function writeUnusual(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (!isUnusualNumber(value)) return value
  return `${mark}${typeof value === 'bigint' ? value : '-0'}`
}

/** Line breaks in JSON text stand between its tokens, never in its strings. */
export function escapeLines(text: string): string {
  return text.includes('\n') ? text.split('\n').map(escapeText).join('\n') : escapeText(text)
}

/** A string that is a key, any other string, a number, a word. */
const token = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d[\d.eE+-]*)|\b(true|false|null)\b/g

function colourJson(text: string): string {
  return text.replaceAll(token, (whole, string?: string, colon?: string, number?: string) => {
    if (colon !== undefined) return `${paint.key(string ?? '')}${colon}`
    if (string !== undefined) return paint.string(string)
    return number === undefined ? paint.word(whole) : paint.number(whole)
  })
}

type Format = Parameters<typeof styleText>[0]

/** Asks `styleText` once for each colour: it is slow, and an answer may have a million tokens. */
function painter(format: Format): (text: string) => string {
  const [open = '', close = ''] = styleText(format, '\0', { validateStream: false }).split('\0')
  return (text) => `${open}${text}${close}`
}

const paint = {
  key: painter('blue'),
  string: painter('green'),
  number: painter('yellow'),
  word: painter('magenta'),
}
