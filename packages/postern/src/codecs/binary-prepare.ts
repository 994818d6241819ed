/**
 * A value in the form that the libraries for MessagePack and CBOR write exactly: what they would change or drop is
 * replaced, and what nothing can replace is refused. Containers are copied only where something in them changes.
 */

import { isUint8Array } from 'node:util/types'
import { type Blobs, SharedBlob } from '../core/blobs.ts'
import { maxBinaryDepth } from './binary-scan.ts'
import {
  at,
  describeLoss,
  hasToJson,
  isRecord,
  type Loss,
  lossOfBigInt,
  lossOfKind,
  lossOfScalar,
  tooDeep,
} from './loss.ts'

/** A value in the form for a library. */
export interface Prepared {
  readonly value: unknown
  /** -0, of which the libraries make 0, stands as NaN, which nothing else is: its bytes are to be put right. */
  readonly hasNegativeZero: boolean
  /** The blobs in it, each with its place among all bytes, in whose stead other bytes stand. */
  readonly blobs: readonly PlacedBlob[]
}

/** A blob and how many byte strings come before it. */
export interface PlacedBlob {
  readonly bytes: Uint8Array
  readonly place: number
}

/** What is written for a blob: bytes of the length that its name has, and whose the blobs are. */
interface BlobWriting {
  readonly blobs: Blobs
  readonly standIn: Uint8Array
}

/**
 * Takes what JSON takes, but for text with half a surrogate pair, which UTF-8 has no form for; and bytes, and as bigint
 * integers of 64 bits that are not safe. Throws `TypeError` for anything else, naming where it is; `format` is what the
 * codec writes.
 */
export function prepare(value: unknown, format: string, writing?: BlobWriting): Prepared {
  const preparation = new Preparation(writing)
  const prepared = preparation.of(value, '')
  if (preparation.loss !== undefined) throw new TypeError(describeLoss(preparation.loss, format))
  return { value: prepared, hasNegativeZero: preparation.hasNegativeZero, blobs: preparation.blobs }
}

/** The range of whole numbers that both libraries write as integers; beyond it they do so with bigints. */
const leastWritten = -(2 ** 31)
const mostWritten = 2 ** 32 - 1

const least64 = -(2n ** 63n)
const most64 = 2n ** 64n - 1n

class Preparation {
  hasNegativeZero = false
  /** Ends the walk; the path grows on the way back. */
  loss: Loss | undefined
  readonly blobs: PlacedBlob[] = []
  /** Whose memory these are; most values have none. */
  #given: Set<ArrayBufferLike> | undefined
  readonly #writing: BlobWriting | undefined
  #depth = 0
  /** Byte strings so far. */
  #byteStrings = 0

  constructor(writing: BlobWriting | undefined) {
    this.#writing = writing
  }

  /** `key` is where the value stands, for its `toJSON`. */
  of(value: unknown, key: string | number): unknown {
    switch (typeof value) {
      case 'boolean':
        return value
      case 'string':
        return isWellFormed(value) ? value : this.#lose(lossOfHalfPair('text with half a surrogate pair'))
      case 'number':
        return this.#ofNumber(value)
      case 'bigint':
        return this.#ofBigInt(value)
      case 'object':
        return value === null ? value : this.#ofObject(value, key)
      case 'undefined':
      case 'symbol':
      case 'function':
        return this.#lose(lossOfScalar(value))
    }
  }

  #lose(loss: Loss): undefined {
    this.loss = loss
  }

  #ofNumber(value: number): unknown {
    if (!Number.isFinite(value)) return this.#lose({ path: '', what: String(value) })
    if (Object.is(value, -0)) {
      this.hasNegativeZero = true
      return Number.NaN
    }
    if (value >= leastWritten && value <= mostWritten) return value
    return Number.isSafeInteger(value) ? BigInt(value) : value
  }

  #ofBigInt(value: bigint): unknown {
    if (value < least64 || value > most64) return this.#lose(lossOfBigInt(value, 'send it as a string'))
    const isSafe = Number.isSafeInteger(Number(value))
    return isSafe ? this.#lose(lossOfBigInt(value, 'send it as a number, which it would come back as')) : value
  }

  #ofObject(value: object, key: string | number): unknown {
    if (this.#depth >= maxBinaryDepth) return this.#lose(tooDeep(maxBinaryDepth))
    // What toJSON gives stands for the value, and is not asked for its own toJSON.
    const contents: unknown = hasToJson(value) ? value.toJSON(String(key)) : value
    if (contents === null && value instanceof Date) return this.#lose({ path: '', what: 'an invalid Date' })
    if (typeof contents !== 'object' || contents === null) return this.of(contents, key)
    if (isUint8Array(contents)) return this.#ofBytes(contents)
    if (contents instanceof SharedBlob) return this.#ofBytes(contents.bytes)
    const isPlain = isPlainObject(contents)
    if (!isPlain && !Array.isArray(contents) && !isRecord(contents)) return this.#lose(lossOfObject(contents))
    this.#depth++
    const prepared = Array.isArray(contents) ? this.#ofArray(contents) : this.#ofRecord(contents as Members, isPlain)
    this.#depth--
    return prepared
  }

  #ofBytes(bytes: Uint8Array): unknown {
    const place = this.#byteStrings++
    if (this.#writing?.blobs.has(bytes) === true) return this.#ofBlob({ bytes, place }, this.#writing.standIn)
    if (bytes.length === 0 && isDetached(bytes))
      return this.#lose({ path: '', what: 'bytes that were handed over before, or transferred' })
    // Those of another realm are not what the libraries know.
    return bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes)
  }

  #ofBlob(blob: PlacedBlob, standIn: Uint8Array): unknown {
    const { buffer } = blob.bytes
    this.#given ??= new Set()
    if (this.#given.has(buffer))
      return this.#lose({ path: '', what: 'a blob that stands in this message twice, and can be handed over once' })
    this.#given.add(buffer)
    this.blobs.push(blob)
    return standIn
  }

  #ofArray(array: readonly unknown[]): unknown {
    // An instance of a class of its own would be written as what else it is.
    let copy: unknown[] | undefined = array.constructor === Array ? undefined : []
    for (let index = 0; index < array.length; index++) {
      const item = array[index]
      const prepared = this.of(item, index)
      if (this.loss !== undefined) return this.#lose(at(`[${index}]`, this.loss))
      if (prepared !== item) copy ??= array.slice(0, index)
      copy?.push(prepared)
    }
    return copy ?? array
  }

  #ofRecord(record: Members, isPlain: boolean): unknown {
    let copy: Members | undefined = isPlain ? undefined : {}
    for (const key in record) {
      if (!isPlain && !Object.hasOwn(record, key)) continue
      const member = record[key]
      if (!isWellFormed(key)) return this.#lose(lossOfHalfPair('an object with half a surrogate pair in a name'))
      // An undefined member is the same as none; everywhere else undefined is a loss.
      const prepared = member === undefined ? undefined : this.of(member, key)
      if (this.loss !== undefined) return this.#lose(at(key, this.loss))
      if (prepared === member && member !== undefined && copy === undefined) continue
      copy ??= { ...record }
      if (prepared === undefined) delete copy[key]
      else setMember(copy, key, prepared)
    }
    return copy ?? record
  }
}

type Members = Record<string, unknown>

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function lossOfHalfPair(what: string): Loss {
  return { path: '', what, advice: 'replace what is broken, as with toWellFormed()' }
}

function lossOfObject(value: object): Loss {
  return lossOfKind(value, ArrayBuffer.isView(value) ? 'send its bytes as a Uint8Array' : undefined)
}

/** Whether the memory of bytes is gone. Node 20 has no other way to ask. */
function isDetached({ buffer }: Uint8Array): boolean {
  try {
    return new Uint8Array(buffer) === undefined
  } catch {
    return true
  }
}

/** Sets a member by whatever name; `__proto__` would set the prototype otherwise. */
export function setMember(object: Members, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value
  else Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
}

/** Whether UTF-8 can write a text. */
function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed()
}
