/**
 * Finds where a value of MessagePack-RPC ends, without building it, however the bytes are cut.
 *
 * Every format says with its first bytes how many more there are at the least, so that the end is where no byte is owed
 * any more, and a value that cannot fit is refused at the header that says so. Strings and bytes are jumped over. What
 * is in them, and what the maps mean, the codec judges.
 *
 * Source: the MessagePack specification. Of extensions only timestamps (type -1) are taken, and names of blobs
 * (type 80), which the codec refuses where none can have come.
 */

import { PosternError } from '../core/errors.ts'
import { excerpt } from '../core/escape.ts'
import { ContainerCount } from './container-count.ts'
import { type FrameLimits, frameTooLarge, overLimit } from './framing.ts'

/** How many bytes follow each format byte that settles everything by itself; `headed` for all others. */
const tails = new Uint8Array(256)
const headed = 255

for (let length = 0; length < 32; length++) tails[0xa0 + length] = length
tails[0xca] = 4
tails[0xcb] = 8
for (const [power, bytes] of [1, 2, 4, 8].entries()) {
  tails[0xcc + power] = bytes
  tails[0xd0 + power] = bytes
}

// What the others begin.
const unused = 0
const text = 1
const binary = 2
const array = 3
const map = 4
const extension = 5

/** What each of the others begins, the size that it says itself, and how many bytes of a size follow it. */
const kinds = new Uint8Array(256)
const sizes = new Uint8Array(256)
const sizeBytes = new Uint8Array(256)

function header(byte: number, kind: number, { size = 0, bytes = 0 }: { size?: number; bytes?: number }): void {
  tails[byte] = headed
  kinds[byte] = kind
  sizes[byte] = size
  sizeBytes[byte] = bytes
}

header(0xc1, unused, {})
for (let size = 0; size < 16; size++) {
  header(0x80 + size, map, { size })
  header(0x90 + size, array, { size })
}
for (const [power, bytes] of [1, 2, 4].entries()) {
  header(0xc4 + power, binary, { bytes })
  header(0xc7 + power, extension, { bytes })
  header(0xd9 + power, text, { bytes })
}
for (const [power, size] of [1, 2, 4, 8, 16].entries()) header(0xd4 + power, extension, { size })
for (const [power, bytes] of [2, 4].entries()) {
  header(0xdc + power, array, { bytes })
  header(0xde + power, map, { bytes })
}

const timestampType = 0xff
const blobType = 0x50

export class MsgpackScanner {
  readonly #limits: FrameLimits
  /** Bytes of the value in earlier chunks. */
  #bytes = 0
  /** How many values are still to begin, the outermost at first. */
  #values = 1
  /** Bytes to jump over. */
  #jump = 0
  /** Whether the header of a value goes on; then what it begins, its size so far, and what is missing of it. */
  #inHeader = false
  #kind = unused
  #size = 0
  #sizeMissing = 0
  #typeMissing = false
  readonly #containers: ContainerCount
  /**
   * How many values are to begin behind each container; it is closed once there are fewer. Left empty where any depth
   * is allowed.
   */
  readonly #open: number[] = []

  constructor(limits: FrameLimits) {
    this.#limits = limits
    this.#containers = new ContainerCount(limits.maxContainers)
  }

  /**
   * Goes on from `from`, which the first time is the value's first byte. Returns the index behind the value's last
   * byte, or -1 when the chunk ends before the value. Throws `bad_frame`, `frame_too_large` or `limit_exceeded`.
   */
  scan(chunk: Buffer, from: number): number {
    if (this.#bytes === 0 && kinds[chunk[from] as number] !== array) throw notAnArray(excerpt(chunk.subarray(from)))
    const { maxFrameBytes } = this.#limits
    const { length } = chunk
    const before = this.#bytes - from
    let values = this.#values
    let index = from + this.#jump
    while (values > 0 && index < length) {
      const byte = chunk[index++] as number
      const tail = this.#inHeader ? headed : (tails[byte] as number)
      if (tail !== headed) {
        values--
        index += tail
      } else if (this.#takeHeaderByte(byte)) {
        values--
        if (this.#kind === array || this.#kind === map) values += this.#openContainer(values)
        else index += this.#size
      }
      const atLeast = before + index + values
      if (atLeast > maxFrameBytes) throw frameTooLarge(this.#limits, atLeast)
      if (tail === headed && !this.#inHeader) this.#count()
    }
    if (values === 0 && index <= length) {
      this.#reset()
      return index
    }
    this.#values = values
    this.#jump = Math.max(0, index - length)
    this.#bytes = before + length
    return -1
  }

  /** Takes a byte of a header; true when it was the last. */
  #takeHeaderByte(byte: number): boolean {
    if (!this.#inHeader) this.#beginHeader(byte)
    else if (this.#sizeMissing > 0) {
      this.#size = this.#size * 256 + byte
      this.#sizeMissing--
    } else if (byte === timestampType || byte === blobType) this.#typeMissing = false
    else
      throw refused(
        `an extension of type ${(byte << 24) >> 24}, of which only timestamps (-1) and names of blobs (80) are taken`,
      )
    this.#inHeader = this.#sizeMissing > 0 || this.#typeMissing
    return !this.#inHeader
  }

  #beginHeader(byte: number): void {
    this.#kind = kinds[byte] as number
    if (this.#kind === unused) throw refused('the byte 0xc1, which MessagePack never uses')
    this.#size = sizes[byte] as number
    this.#sizeMissing = sizeBytes[byte] as number
    this.#typeMissing = this.#kind === extension
  }

  /** Counts the value whose header has ended, where it becomes an object. */
  #count(): void {
    if (this.#kind === map) this.#containers.addMap(this.#size)
    else if (this.#kind !== text) this.#containers.add()
  }

  /** Goes into a container behind which so many values are to begin; returns how many are in it. */
  #openContainer(behind: number): number {
    const { maxDepth } = this.#limits
    const items = this.#kind === map ? 2 * this.#size : this.#size
    if (this.#containers.isEmpty && items !== 3 && items !== 4) throw notAnArray(`one of ${items}`)
    if (maxDepth < Number.POSITIVE_INFINITY) {
      while ((this.#open.at(-1) ?? 0) > behind) this.#open.pop()
      if (this.#open.push(behind) > maxDepth) throw overLimit('maxDepth', maxDepth, `nesting deeper than ${maxDepth}`)
    }
    return items
  }

  #reset(): void {
    this.#bytes = 0
    this.#values = 1
    this.#jump = 0
    this.#containers.reset()
    this.#open.length = 0
  }
}

function notAnArray(got: string): PosternError {
  return refused(`${got} instead of an array of 3 or 4 items, as MessagePack-RPC has them`)
}

function refused(what: string): PosternError {
  return new PosternError('bad_frame', `got ${what}`)
}
