/**
 * Finds where a value of MessagePack-RPC ends, without building it, however the bytes are cut.
 *
 * Every format says with its first bytes how many more there are at the least, so that the end is where no byte is owed
 * any more, and a value that cannot fit is refused at the header that says so. Strings and bytes are jumped over. What
 * is in them, and what the maps mean, the codec judges.
 *
 * Source: the MessagePack specification. Of extensions only timestamps (type -1) are taken.
 */

import { PosternError } from '../core/errors.ts'
import { excerpt } from '../core/escape.ts'
import { type FrameLimits, frameTooLarge, overLimit } from './framing.ts'

// What a format is. All but scalars and strings stand for more than the bytes to jump over.
const scalar = 0
const array = 1
const map = 2
const extension = 3
const unused = 4

/** What each format byte begins. */
const kinds = new Uint8Array(256)
/** How many bytes of a length or a count follow it. */
const sizeBytes = new Uint8Array(256)
/** The length or the count that the format itself says. */
const sizes = new Uint8Array(256)

function format(byte: number, kind: number, { size = 0, bytes = 0 }: { size?: number; bytes?: number }): void {
  kinds[byte] = kind
  sizes[byte] = size
  sizeBytes[byte] = bytes
}

for (let size = 0; size < 16; size++) {
  format(0x80 + size, map, { size })
  format(0x90 + size, array, { size })
}
for (let size = 0; size < 32; size++) format(0xa0 + size, scalar, { size })
format(0xc1, unused, {})
for (const [power, bytes] of [1, 2, 4].entries()) {
  format(0xc4 + power, scalar, { bytes })
  format(0xc7 + power, extension, { bytes })
  format(0xd9 + power, scalar, { bytes })
}
for (const [power, size] of [1, 2, 4, 8].entries()) {
  format(0xcc + power, scalar, { size })
  format(0xd0 + power, scalar, { size })
}
format(0xca, scalar, { size: 4 })
format(0xcb, scalar, { size: 8 })
for (const [power, size] of [1, 2, 4, 8, 16].entries()) format(0xd4 + power, extension, { size })
for (const [power, bytes] of [2, 4].entries()) {
  format(0xdc + power, array, { bytes })
  format(0xde + power, map, { bytes })
}

const timestampType = 0xff

export class MsgpackScanner {
  readonly #limits: FrameLimits
  /** Bytes of the value in earlier chunks, and the least number that are still to come. */
  #bytes = 0
  #owed = 1
  /** Bytes of a string that are jumped over. */
  #jump = 0
  #kind = scalar
  /** The length or count that is being read, and how many of its bytes are missing. */
  #size = 0
  #sizeMissing = 0
  /** The next byte is the type of an extension. */
  #typeNext = false
  #containers = 0
  /** How many items are to come in each open container; not counted where any depth is allowed. */
  readonly #open: number[] = []

  constructor(limits: FrameLimits) {
    this.#limits = limits
  }

  /**
   * Goes on from `from`, which the first time is the value's first byte. Returns the index behind the value's last
   * byte, or -1 when the chunk ends before the value. Throws `bad_frame`, `frame_too_large` or `limit_exceeded`.
   */
  scan(chunk: Buffer, from: number): number {
    if (this.#bytes === 0 && kinds[chunk[from] as number] !== array) throw notAnArray(excerpt(chunk.subarray(from)))
    const before = this.#bytes - from
    let index = from
    while (index < chunk.length) {
      if (this.#jump > 0 && !this.#typeNext) {
        const jumped = Math.min(this.#jump, chunk.length - index)
        this.#jump -= jumped
        this.#owed -= jumped
        index += jumped
      } else {
        const byte = chunk[index++] as number
        this.#owed--
        this.#bytes = before + index
        if (this.#sizeMissing > 0) this.#takeSizeByte(byte)
        else if (this.#typeNext) this.#takeType(byte)
        else this.#takeFormat(byte)
      }
      if (this.#owed === 0) {
        this.#reset()
        return index
      }
    }
    this.#bytes = before + index
    return -1
  }

  #takeFormat(byte: number): void {
    const kind = kinds[byte] as number
    if (kind === unused) throw refused('the byte 0xc1, which MessagePack never uses')
    if (this.#limits.maxDepth !== Number.POSITIVE_INFINITY) this.#countItem()
    const missing = sizeBytes[byte] as number
    if (missing === 0) {
      this.#takeSize(kind, sizes[byte] as number)
      return
    }
    this.#kind = kind
    this.#size = 0
    this.#sizeMissing = missing
    this.#owe(missing)
  }

  #takeSizeByte(byte: number): void {
    this.#size = this.#size * 256 + byte
    if (--this.#sizeMissing === 0) this.#takeSize(this.#kind, this.#size)
  }

  #takeSize(kind: number, size: number): void {
    if (kind === array) this.#openContainer(size)
    else if (kind === map) this.#openContainer(2 * size)
    else {
      this.#typeNext = kind === extension
      this.#jump = size
      this.#owe(this.#typeNext ? size + 1 : size)
    }
  }

  #takeType(byte: number): void {
    if (byte !== timestampType) throw refused(`an extension of type ${(byte << 24) >> 24}, of which only -1 is taken`)
    this.#typeNext = false
  }

  #openContainer(items: number): void {
    const { maxDepth, maxContainers } = this.#limits
    if (this.#containers === 0 && items !== 3 && items !== 4) throw notAnArray(`one of ${items}`)
    this.#containers++
    this.#owe(items)
    if (this.#containers > maxContainers) {
      throw overLimit('maxContainers', maxContainers, `more than ${maxContainers} maps and arrays`)
    }
    if (maxDepth === Number.POSITIVE_INFINITY) return
    if (this.#open.push(items) > maxDepth) throw overLimit('maxDepth', maxDepth, `nesting deeper than ${maxDepth}`)
  }

  /** Counts a value that begins against the innermost container that still has one to come. */
  #countItem(): void {
    const open = this.#open
    while (open.at(-1) === 0) open.pop()
    if (open.length > 0) (open[open.length - 1] as number)--
  }

  #owe(bytes: number): void {
    this.#owed += bytes
    const atLeast = this.#bytes + this.#owed
    if (atLeast > this.#limits.maxFrameBytes) throw frameTooLarge(this.#limits, atLeast)
  }

  #reset(): void {
    this.#bytes = 0
    this.#owed = 1
    this.#containers = 0
    this.#open.length = 0
  }
}

function notAnArray(got: string): PosternError {
  return refused(`${got} instead of an array of 3 or 4 items, as MessagePack-RPC has them`)
}

function refused(what: string): PosternError {
  return new PosternError('bad_frame', `got ${what}`)
}
