/**
 * Reads the headers of `content-length`, however they are cut: the one that nearly everybody sends by comparing it, any
 * other byte by byte, where one look-up tells what may stand behind what. A whole line is then taken as text.
 */

import { PosternError } from '../core/errors.ts'
import { excerptOfText } from '../core/escape.ts'
import type { HeaderReader } from './announced-decoder.ts'
import { type FrameLimits, overLimit } from './framing.ts'

const carriageReturn = 0x0d
const lineFeed = 0x0a

// Where a byte stands. The first three are those at which something is to be done.
const refused = 0
const atLineStart = 1
const behindHeaders = 2
const inName = 3
const inValue = 4
const atLineEnd = 5
const atLastLineEnd = 6

/** Where the next byte stands, by where this one stands and what it is; `refused` for a byte that may not stand there. */
const steps = new Uint8Array(7 * 256)
const allow = (from: number, byte: number, to: number): void => void (steps[from * 256 + byte] = to)
for (const name of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  allow(atLineStart, name.charCodeAt(0), inName)
  allow(inName, name.charCodeAt(0), inName)
}
allow(inName, 0x3a, inValue)
allow(inValue, 0x09, inValue)
for (let visible = 0x20; visible < 0x7f; visible++) allow(inValue, visible, inValue)
allow(inValue, carriageReturn, atLineEnd)
allow(atLineEnd, lineFeed, atLineStart)
allow(atLineStart, carriageReturn, atLastLineEnd)
allow(atLastLineEnd, lineFeed, behindHeaders)

/** The length of the longest number that is surely exact. */
const maxDigits = 15
const decimal = new RegExp(`^[0-9]{1,${maxDigits}}$`)

const plainStart = Buffer.from('Content-Length: ')
const plainEnd = Buffer.from('\r\n\r\n')

export class ContentLengthReader implements HeaderReader {
  frameBytes = 0
  readonly #limits: FrameLimits
  #place = atLineStart
  /** What earlier chunks brought of the line. */
  #line = ''
  /** Bytes and whole lines of these headers. */
  #bytes = 0
  #lines = 0
  #announced: number | undefined

  constructor(limits: FrameLimits) {
    this.#limits = limits
  }

  read(chunk: Buffer, from: number): number {
    if (this.#bytes === 0) {
      const end = this.#readPlain(chunk, from)
      if (end >= 0) return end
    }
    const { maxHeaderBytes } = this.#limits
    const end = Math.min(chunk.length, from + maxHeaderBytes - this.#bytes)
    let place = this.#place
    let lineStart = from
    let index = from
    while (index < end) {
      const next = steps[place * 256 + (chunk[index++] as number)] as number
      if (next === refused) throw this.#refusal(place, chunk.subarray(lineStart), index - 1 - lineStart)
      place = next
      if (place > behindHeaders) continue
      if (place === behindHeaders) {
        this.#finish()
        return index
      }
      this.#takeLine(this.#line + chunk.toString('latin1', lineStart, index))
      this.#line = ''
      lineStart = index
    }
    if (index < chunk.length) {
      throw overLimit('maxHeaderBytes', maxHeaderBytes, `a header block of more than ${maxHeaderBytes} bytes`)
    }
    this.#place = place
    this.#line += chunk.toString('latin1', lineStart, index)
    this.#bytes += index - from
    return -1
  }

  /**
   * Takes the header that nearly everybody sends, in one piece and without a look at anything else; -1 where it is any
   * other.
   */
  #readPlain(chunk: Buffer, from: number): number {
    if (!standsAt(chunk, from, plainStart)) return -1
    const digits = from + plainStart.length
    let index = digits
    let length = 0
    while (index < digits + maxDigits) {
      const digit = (chunk[index] as number) - 0x30
      if (!(digit >= 0 && digit <= 9)) break
      length = length * 10 + digit
      index++
    }
    const end = index + plainEnd.length
    if (index === digits || !standsAt(chunk, index, plainEnd) || end - from > this.#limits.maxHeaderBytes) return -1
    this.frameBytes = length
    return end
  }

  #takeLine(line: string): void {
    const { maxHeaders } = this.#limits
    if (++this.#lines > maxHeaders) {
      throw overLimit('maxHeaders', maxHeaders, `a frame with more than ${maxHeaders} headers`)
    }
    const colon = line.indexOf(':')
    const value = line.slice(colon + 1).trim()
    switch (line.slice(0, colon).toLowerCase()) {
      case 'content-length':
        if (this.#announced !== undefined) throw badHeader('expected one Content-Length', line)
        if (!decimal.test(value)) throw badHeader(`expected a Content-Length of 1 to ${maxDigits} decimal digits`, line)
        this.#announced = Number(value)
        break
      case 'content-type':
        if (!isUtf8Type(value)) throw badHeader('expected the charset utf-8', line)
    }
  }

  #finish(): void {
    if (this.#announced === undefined) {
      throw new PosternError('bad_frame', `expected a Content-Length among the headers, got ${this.#lines} others`)
    }
    this.frameBytes = this.#announced
    this.#place = atLineStart
    this.#line = ''
    this.#bytes = 0
    this.#lines = 0
    this.#announced = undefined
  }

  /** The error for a byte of this line, or of what the chunk has of it, that may not stand where it does. */
  #refusal(place: number, rest: Buffer, index: number): PosternError {
    const line = this.#line + rest.toString('latin1', 0, index + shownLength)
    return badHeader(whyRefused(place, rest[index] as number), line)
  }
}

function standsAt(chunk: Buffer, at: number, expected: Buffer): boolean {
  for (let index = 0; index < expected.length; index++) if (chunk[at + index] !== expected[index]) return false
  return true
}

/** How much of what stands behind a wrong byte its error may show. */
const shownLength = 61

/** Whether a media type names no charset, or UTF-8 by the name it has or the one that old language servers give it. */
function isUtf8Type(type: string): boolean {
  const parameters = type.toLowerCase().split(';').slice(1)
  const charsets = parameters.map((each) => each.split('=')).filter(([name]) => name?.trim() === 'charset')
  return charsets.every(([, charset]) => /^"?utf-?8"?$/.test(charset?.trim() ?? ''))
}

function whyRefused(place: number, byte: number): string {
  if (byte === lineFeed) return 'expected \\r\\n at the end of a header, not \\n alone'
  if (place === atLineEnd || place === atLastLineEnd) return 'expected \\n behind the \\r of a header'
  if (place === atLineStart && (byte === 0x20 || byte === 0x09)) return 'expected a header in one line, not folded'
  if (place === inValue) return 'expected visible ASCII in a header'
  return 'expected a header such as "Content-Length: 52"'
}

function badHeader(why: string, line: string): PosternError {
  return new PosternError('bad_frame', `${why}, got ${excerptOfText(line.trimEnd())}`)
}
