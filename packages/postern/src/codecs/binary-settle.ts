/**
 * What a library has decoded, in the form that this library promises.
 */

import { isDate, isUint8Array } from 'node:util/types'
import { setMember } from './binary-prepare.ts'
import type { Integers } from './codec.ts'
import { unsafeInteger } from './json-numbers.ts'

/** How a decoded value is to be settled. */
export interface SettleOptions {
  readonly integers: Integers
  /** Where bytes stand that are text. All bytes are then views of the frame, and are copied. */
  readonly texts?: ReadonlySet<number>
  /** Where bytes stand that stand for blobs, and what gets these. */
  readonly blobs?: ReadonlyMap<number, () => Uint8Array>
}

/**
 * Settles a value in place where it can: bigints as they are asked for, maps as objects with members of any name, and
 * bytes on their own. Counts the members, since those of one name have become one.
 */
export class Settlement {
  members = 0
  readonly #options: SettleOptions

  constructor(options: SettleOptions) {
    this.#options = options
  }

  of(value: unknown): unknown {
    if (typeof value === 'bigint') return this.#ofInteger(value)
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return this.#ofArray(value)
    if (value instanceof Map) return this.#ofMap(value)
    if (isUint8Array(value)) return this.#ofBytes(value)
    return isDate(value) ? value : this.#ofObject(value as Record<string, unknown>)
  }

  #ofInteger(value: bigint): unknown {
    const number = Number(value)
    if (Number.isSafeInteger(number)) return number
    switch (this.#options.integers) {
      case 'bigint':
        return value
      case 'number':
        return number
      case 'error':
        throw unsafeInteger(String(value))
    }
  }

  #ofArray(array: unknown[]): unknown {
    for (let index = 0; index < array.length; index++) {
      const item = array[index]
      const settled = this.of(item)
      if (settled !== item) array[index] = settled
    }
    return array
  }

  #ofObject(object: Record<string, unknown>): unknown {
    for (const key in object) {
      this.members++
      const item = object[key]
      const settled = this.of(item)
      if (settled !== item) object[key] = settled
    }
    return object
  }

  #ofMap(map: ReadonlyMap<unknown, unknown>): unknown {
    const object: Record<string, unknown> = {}
    for (const [key, item] of map) setMember(object, this.of(key) as string, this.of(item))
    this.members += Object.keys(object).length
    return object
  }

  #ofBytes(bytes: Uint8Array): unknown {
    const { texts, blobs } = this.#options
    if (texts === undefined) return bytes
    const take = blobs?.get(bytes.byteOffset)
    if (take !== undefined) return take()
    return texts.has(bytes.byteOffset)
      ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
      : bytes.slice()
  }
}
