/**
 * Walks a frame of a binary codec once and checks it whole, before a library decodes it: every length and count against
 * the bytes that are there, nesting and what becomes an object against their limits, text as UTF-8 to the letter, keys
 * as text, numbers as finite. Builds nothing of what a frame announces.
 */

import { isUtf8 } from 'node:buffer'
import { PosternError } from '../core/errors.ts'
import { ContainerCount } from '../framing/container-count.ts'
import { overLimit } from '../framing/framing.ts'
import { NameCount } from '../framing/name-count.ts'

/** Deeper than any value should be, and well below where the recursion of a library ends the stack. */
export const maxBinaryDepth = 512

/** How the items of a format are told apart. */
export interface BinaryFormat {
  /** As its users write it. */
  readonly title: string
  /** Passes over the item that begins at `scan.position`, with all that it contains. */
  item(scan: BinaryScan): void
  /** Whether the item that begins with this byte is text. */
  isText(header: number): boolean
  /** The first byte of bytes whose length is written as that of the text with this first byte, of over 64 bytes. */
  asBytes(header: number): number
  /** The byte of nothing: nil or null. */
  readonly nothing: number
  /** How blobs are named. */
  readonly blob: BlobFormat
}

/** A blob is named by 8 bytes, which a format marks so that they are nothing else. */
interface BlobFormat {
  /** The length of the byte string that takes as much room, of which the name becomes the last 8 bytes. */
  readonly standIn: number
  /** Makes such a byte string, whose header begins at `header`, the mark of a name; returns where the 8 bytes begin. */
  mark(frame: Buffer, header: number): number
  /** Makes it a byte string again; returns where that one's bytes begin. */
  unmark(frame: Uint8Array, header: number): number
}

/** What a scan is to look at beyond the grammar. */
export interface ScanOptions {
  readonly maxDepth?: number
  readonly maxContainers?: number
  readonly maxNames?: number
  /** The place of an item of the top array whose bytes are wanted. */
  readonly rawItem?: number
  /** Told where the bytes of a number begin that is not finite; it is refused otherwise. */
  readonly notFinite?: (position: number) => void
  /** Told where the header of each byte string begins. */
  readonly byteString?: (header: number) => void
  /** Whether the frame may name blobs. */
  readonly takesBlobs?: boolean
}

/** Where an item of the top array stands: from its first byte to behind its last. */
export interface RawRange {
  readonly place: number
  readonly start: number
  readonly end: number
}

/** The bits of the exponent in the first two bytes of a float of that many: all are set where it is not finite. */
const exponents: Readonly<Record<number, number>> = { 2: 0x7c00, 4: 0x7f80, 8: 0x7ff0 }

/** How much text is looked at byte by byte: below this the native check costs more than it saves. */
const nearBytes = 40

/** From here on both libraries drop a byte order mark that text begins with. */
const markDropped = 65

const prototypeKey = Buffer.from('__proto__')
const byteOrderMark = Buffer.from('\ufeff')

export class BinaryScan {
  readonly bytes: Buffer
  /** Where the next item, or the rest of the present one, begins. */
  position = 0
  /** Members of all maps. */
  members = 0
  /** There are integers of 8 bytes. */
  hasWideIntegers = false
  /** A member is called `__proto__`. */
  hasPrototypeKey = false
  /** Texts that a library would shorten: where their header begins, and where they do. */
  readonly markedTexts: { readonly header: number; readonly start: number }[] = []
  /** The blobs that are named: where the header of each begins, and its number. */
  readonly blobs: { readonly header: number; readonly id: number }[] = []
  /** The item that was asked for, where there is one. */
  raw: RawRange | undefined
  readonly #format: BinaryFormat
  readonly #options: ScanOptions
  readonly #maxDepth: number
  readonly #containers: ContainerCount
  /** Undefined: there are not enough bytes for too many names. */
  readonly #names: NameCount | undefined
  #depth = 0
  /** Where the last text begins. */
  #textStart = 0

  constructor(format: BinaryFormat, bytes: Buffer, options: ScanOptions = {}) {
    this.bytes = bytes
    this.#format = format
    this.#options = options
    this.#maxDepth = options.maxDepth ?? Number.POSITIVE_INFINITY
    this.#containers = new ContainerCount(options.maxContainers ?? Number.POSITIVE_INFINITY)
    const { maxNames } = options
    this.#names = maxNames !== undefined && bytes.length > 2 * maxNames ? new NameCount(maxNames) : undefined
  }

  /** Throws `bad_frame`, `limit_exceeded`, or `bad_message` for a value that has no place in JavaScript. */
  run(): void {
    this.#format.item(this)
    const behind = this.bytes.length - this.position
    if (behind > 0) throw this.wrong(`has ${behind} bytes behind its value`)
  }

  /** The error for what is no such frame. */
  wrong(why: string): PosternError {
    return new PosternError('bad_frame', `a ${this.#format.title} frame ${why}`)
  }

  /** The error for what the format can say and no value can be. */
  unfit(what: string, advice: string): PosternError {
    return new PosternError('bad_message', `a ${this.#format.title} frame holds ${what}; ${advice}`)
  }

  /** Passes over that many bytes and returns where they begin. */
  skip(length: number): number {
    const start = this.position
    const left = this.bytes.length - start
    if (length > left) throw this.wrong(left === 0 ? 'ends too early' : `ends ${length - left} bytes too early`)
    this.position = start + length
    return start
  }

  /** The next byte. */
  byte(): number {
    return this.bytes[this.skip(1)] as number
  }

  /** The next unsigned integer, of 1, 2, 4 or 8 bytes; beyond 2^53 not exact. */
  unsigned(size: number): number {
    const start = this.skip(size)
    if (size === 8) return this.bytes.readUInt32BE(start) * 2 ** 32 + this.bytes.readUInt32BE(start + 4)
    return this.bytes.readUIntBE(start, size)
  }

  /** An integer of that many bytes. */
  integer(size: number): void {
    this.skip(size)
    if (size === 8) this.hasWideIntegers = true
  }

  /** A floating-point number of that many bytes. */
  float(size: number): void {
    const start = this.skip(size)
    const exponent = exponents[size] as number
    if ((this.bytes.readUInt16BE(start) & exponent) !== exponent) return
    const { notFinite } = this.#options
    if (notFinite === undefined)
      throw this.unfit('NaN or Infinity, which no other codec carries', 'send null or a string')
    notFinite(start)
  }

  /** Text of that many bytes, whose header began at `header`. */
  text(length: number, header: number): void {
    const start = this.skip(length)
    this.#textStart = start
    if (!this.#isUtf8(start, length)) throw this.wrong('has text that is not valid UTF-8')
    if (length >= markDropped && this.#isAt(byteOrderMark, start)) this.markedTexts.push({ header, start })
  }

  /** Bytes of that many, whose header began at `header`. */
  byteString(length: number, header: number): void {
    this.object(length)
    this.#options.byteString?.(header)
  }

  /** The name of a blob, of 8 bytes, whose header began at `header`. False: none is taken. */
  blob(header: number): boolean {
    if (this.#options.takesBlobs !== true) return false
    const start = this.object(8)
    this.blobs.push({ header, id: this.bytes.readUInt32BE(start) * 2 ** 32 + this.bytes.readUInt32BE(start + 4) })
    return true
  }

  /** That many bytes that become an object, such as bytes or a date; returns where they begin. */
  object(length: number): number {
    this.#containers.add()
    return this.skip(length)
  }

  /** An array of that many items. */
  array(count: number): void {
    this.#open(count)
    this.#containers.add()
    const rawItem = this.#depth === 1 ? this.#options.rawItem : undefined
    for (let index = 0; index < count; index++) {
      const start = this.position
      this.#format.item(this)
      if (index === rawItem) this.raw = { place: index, start, end: this.position }
    }
    this.#depth--
  }

  /** A map of that many members. */
  map(count: number): void {
    this.#open(2 * count)
    this.#containers.addMap(count)
    this.members += count
    this.#names?.open()
    for (let index = 0; index < count; index++) {
      this.#key()
      this.#names?.add(this.bytes, this.#textStart, this.position)
      this.#format.item(this)
    }
    this.#names?.close()
    this.#depth--
  }

  #key(): void {
    const header = this.bytes[this.position]
    if (header === undefined) throw this.wrong('ends too early')
    if (!this.#format.isText(header)) throw this.wrong('has a map with a key that is not text')
    this.#format.item(this)
    const end = this.position
    // A longer name may end so too; that costs a little time, and nothing else.
    if (this.bytes[end - 1] === 0x5f && this.#isAt(prototypeKey, end - prototypeKey.length)) this.hasPrototypeKey = true
  }

  /** Goes into an array or map of that many items, each of which has at least one byte. */
  #open(items: number): void {
    const left = this.bytes.length - this.position
    if (items > left) throw this.wrong(`announces ${items} items where ${left} bytes are left`)
    this.#depth++
    if (this.#depth > this.#maxDepth) {
      throw overLimit('maxDepth', this.#maxDepth, `nesting deeper than ${this.#maxDepth}`)
    }
    if (this.#depth > maxBinaryDepth) {
      throw new PosternError('limit_exceeded', `nesting deeper than ${maxBinaryDepth} is not decoded`)
    }
  }

  #isUtf8(start: number, length: number): boolean {
    const end = start + length
    if (length > nearBytes) return isUtf8(this.bytes.subarray(start, end))
    for (let index = start; index < end; index++) {
      if ((this.bytes[index] as number) >= 0x80) return isUtf8(this.bytes.subarray(index, end))
    }
    return true
  }

  #isAt(expected: Buffer, start: number): boolean {
    for (let index = 0; index < expected.length; index++) {
      if (this.bytes[start + index] !== expected[index]) return false
    }
    return true
  }
}
