/**
 * Finds where a JSON object or array ends, without building it, however the bytes are cut.
 *
 * It follows strings, escapes and brackets and counts nesting, containers and names on the way. It does not check the
 * grammar: what it passes, `JSON.parse` judges. Long strings are skipped by the native search for their quote.
 */

import { type NestingLimits, overLimit } from './framing.ts'
import { JsonNames, Text, type TextState } from './json-names.ts'
import { mostClassed } from './name-count.ts'

const quote = 0x22
const backslash = 0x5c
const colon = 0x3a
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

/** 1 for the bytes that mean something outside a string: quotes and brackets. One look-up passes over all others. */
const structural = new Uint8Array(256)
for (const byte of [quote, openBrace, closeBrace, openBracket, closeBracket]) structural[byte] = 1

/** The same where names are counted: a colon follows each. */
const telling = new Uint8Array(structural)
telling[colon] = 1

/** How far a string is followed byte by byte: below this the native search costs more than it saves. */
const nearBytes = 40

export class JsonScanner {
  readonly #limits: NestingLimits
  #depth = 0
  #containers = 0
  #inString = false
  /** The last byte seen was an unescaped backslash inside a string. */
  #escaped = false
  /** Of the present value; undefined while none need be counted. Idle connections have none. */
  #names: JsonNames | undefined

  constructor(limits: NestingLimits) {
    this.#limits = limits
  }

  /**
   * Goes on from `from`, which the first time is the value's opening bracket. Returns the index behind the value's
   * last byte, or -1 when the chunk ends before the value. Throws `limit_exceeded`.
   */
  scan(chunk: Buffer, from: number): number {
    const { maxContainers, maxNames } = this.#limits
    if (this.#depth > 0) return this.#follow(chunk, from, this.#names)
    if (maxNames === Number.POSITIVE_INFINITY) return this.#follow(chunk, from, undefined)
    if (chunk.length - from <= Math.min(maxContainers, maxNames)) {
      // Most values are whole in one chunk, with fewer bytes than names are allowed: for these, none is counted.
      const end = this.#follow(chunk, from, undefined)
      if (end >= 0) return end
      this.#reset()
    }
    this.#names = new JsonNames(maxNames)
    return this.#follow(chunk, from, this.#names)
  }

  #follow(chunk: Buffer, from: number, names: JsonNames | undefined): number {
    const length = chunk.length
    const marks = names === undefined ? structural : telling
    let index = from
    // Of the last string that has not been a name, as much as this chunk has.
    let text: TextState = names === undefined ? Text.none : names.text
    let textStart = from
    let textEnd = from
    if (this.#inString) {
      index = this.#skipString(chunk, index)
      textEnd = endOfText(index, length)
    }
    let depth = this.#depth
    while (index >= 0 && index < length) {
      const byte = chunk[index++] as number
      if (marks[byte] === 0) continue
      if (byte === quote) {
        text = Text.begunHere
        textStart = index
        index = this.#skipString(chunk, index)
        textEnd = endOfText(index, length)
      } else if (byte === colon) {
        this.#addMember(names?.add(text, chunk, textStart, textEnd))
        text = Text.none
      } else if (byte === openBrace || byte === openBracket) this.#open(++depth, names)
      else {
        names?.close()
        if (--depth > 0) continue
        this.#reset()
        return index
      }
    }
    this.#depth = depth
    names?.carry(text, chunk, textStart, textEnd)
    return -1
  }

  /** Skips to behind the string's closing quote; -1 when the chunk ends first. */
  #skipString(chunk: Buffer, from: number): number {
    const length = chunk.length
    let index = this.#escaped ? from + 1 : from
    this.#escaped = false
    this.#inString = true
    while (index < length) {
      const near = Math.min(length, index + nearBytes)
      while (index < near) {
        const byte = chunk[index++] as number
        if (byte === quote) {
          this.#inString = false
          return index
        }
        if (byte === backslash) index++
      }
      if (index >= length) break
      const next = chunk.indexOf(quote, index)
      const backslashes = countBackslashesBefore(chunk, next < 0 ? length : next, index)
      if (next < 0) {
        this.#escaped = backslashes % 2 === 1
        return -1
      }
      // An escaped quote is stepped over; the loop goes on behind it.
      index = backslashes % 2 === 1 ? next + 1 : next
    }
    // A backslash that was the last byte has moved the index one beyond the end.
    this.#escaped = index > length
    return -1
  }

  #open(depth: number, names: JsonNames | undefined): void {
    const { maxDepth } = this.#limits
    if (depth > maxDepth) throw overLimit('maxDepth', maxDepth, `nesting deeper than ${maxDepth}`)
    this.#addContainers(1)
    names?.open()
  }

  /** Counts the members of a large object, all of them once it is known to be one. */
  #addMember(members = 0): void {
    if (members > mostClassed) this.#addContainers(members === mostClassed + 1 ? members : 1)
  }

  #addContainers(count: number): void {
    const { maxContainers } = this.#limits
    this.#containers += count
    if (this.#containers <= maxContainers) return
    const what = `more than ${maxContainers} objects, arrays and members of large objects`
    throw overLimit('maxContainers', maxContainers, what)
  }

  #reset(): void {
    this.#depth = 0
    this.#containers = 0
    this.#inString = false
    this.#escaped = false
    this.#names = undefined
  }
}

/** Where a string ends in a chunk, by what skipping it gave: before its quote, or with the chunk. */
function endOfText(behind: number, length: number): number {
  return behind < 0 ? length : behind - 1
}

function countBackslashesBefore(chunk: Buffer, end: number, from: number): number {
  let index = end
  while (index > from && chunk[index - 1] === backslash) index--
  return end - index
}
