/** The bytes of a struct, written and read value by value. */

import { halfBitsOf, halfOf } from './half-float.ts'
import type { Field } from './struct-format.ts'

/** What a format character holds: integers of 64 bits are `bigint`, smaller ones `number`. */
export type StructValue = number | bigint | boolean | Uint8Array

/** The largest length that the first byte of a `p` can tell. */
const maxPascalLength = 255

/** Reads and writes in place. */
export class StructView {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #littleEndian: boolean

  constructor(bytes: Uint8Array, littleEndian: boolean) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#littleEndian = littleEndian
  }

  /** Gives what is wrong with a value that the field cannot hold, in words; undefined for one that it now holds. */
  write(field: Field, at: number, value: unknown): string | undefined {
    return this.#written(field, at, value) ? undefined : `${shown(value)}; ${field.character} takes ${takenBy(field)}`
  }

  #written(field: Field, at: number, value: unknown): boolean {
    switch (field.kind) {
      case 'float':
        return this.#writeFloat(field, at, value)
      case 'boolean':
        if (typeof value !== 'boolean') return false
        this.#view.setUint8(at, value ? 1 : 0)
        return true
      case 'byte':
      case 'string':
      case 'pascal':
        return this.#writeBytes(field, at, value)
      case 'signed':
      case 'unsigned':
      case 'pointer':
        return this.#writeInteger(field, at, value)
    }
  }

  /** Bytes are copied, so that they pin none of those they were read from. */
  read(field: Field, at: number): StructValue {
    switch (field.kind) {
      case 'float':
        return this.#readFloat(field, at)
      case 'boolean':
        return this.#view.getUint8(at) !== 0
      case 'byte':
      case 'string':
        return new Uint8Array(this.#bytes.subarray(at, at + field.bytes))
      case 'pascal': {
        const length = field.bytes === 0 ? 0 : Math.min(this.#view.getUint8(at), field.bytes - 1)
        return new Uint8Array(this.#bytes.subarray(at + 1, at + 1 + length))
      }
      case 'signed':
        return this.#readSigned(field, at)
      case 'unsigned':
      case 'pointer':
        return this.#readUnsigned(field, at)
    }
  }

  #writeBytes({ kind, bytes }: Field, at: number, value: unknown): boolean {
    if (!(value instanceof Uint8Array) || (kind === 'byte' && value.length !== 1)) return false
    if (kind !== 'pascal') this.#bytes.set(value.subarray(0, bytes), at)
    else if (bytes > 0) {
      const text = value.subarray(0, bytes - 1)
      this.#view.setUint8(at, Math.min(text.length, maxPascalLength))
      this.#bytes.set(text, at + 1)
    }
    return true
  }

  /** A finite number that would become infinite is refused. */
  #writeFloat({ bytes }: Field, at: number, value: unknown): boolean {
    if (typeof value !== 'number') return false
    if (bytes === 8) this.#view.setFloat64(at, value, this.#littleEndian)
    else if (bytes === 4) {
      if (Number.isFinite(value) && !Number.isFinite(Math.fround(value))) return false
      this.#view.setFloat32(at, value, this.#littleEndian)
    } else {
      const bits = halfBitsOf(value)
      if (Number.isFinite(value) && !Number.isFinite(halfOf(bits))) return false
      this.#view.setUint16(at, bits, this.#littleEndian)
    }
    return true
  }

  #readFloat({ bytes }: Field, at: number): number {
    if (bytes === 8) return this.#view.getFloat64(at, this.#littleEndian)
    if (bytes === 4) return this.#view.getFloat32(at, this.#littleEndian)
    return halfOf(this.#view.getUint16(at, this.#littleEndian))
  }

  /** The setters cut off what is above their bits, which makes two's complement of a negative number. */
  #writeInteger(field: Field, at: number, value: unknown): boolean {
    if (!isIntegerOf(field, value)) return false
    const { bytes } = field
    if (bytes === 8) this.#view.setBigUint64(at, BigInt(value), this.#littleEndian)
    else if (bytes === 4) this.#view.setUint32(at, Number(value), this.#littleEndian)
    else if (bytes === 2) this.#view.setUint16(at, Number(value), this.#littleEndian)
    else this.#view.setUint8(at, Number(value))
    return true
  }

  #readSigned({ bytes }: Field, at: number): number | bigint {
    if (bytes === 8) return this.#view.getBigInt64(at, this.#littleEndian)
    if (bytes === 4) return this.#view.getInt32(at, this.#littleEndian)
    if (bytes === 2) return this.#view.getInt16(at, this.#littleEndian)
    return this.#view.getInt8(at)
  }

  #readUnsigned({ bytes }: Field, at: number): number | bigint {
    if (bytes === 8) return this.#view.getBigUint64(at, this.#littleEndian)
    if (bytes === 4) return this.#view.getUint32(at, this.#littleEndian)
    if (bytes === 2) return this.#view.getUint16(at, this.#littleEndian)
    return this.#view.getUint8(at)
  }
}

/** The least and the greatest integer of a field. A pointer may be written as a negative number, as in Python. */
function rangeOf({ kind, bytes }: Field): readonly [least: number | bigint, most: number | bigint] {
  if (bytes === 8) return [kind === 'unsigned' ? 0n : -(2n ** 63n), kind === 'signed' ? 2n ** 63n - 1n : 2n ** 64n - 1n]
  const all = 2 ** (8 * bytes)
  return kind === 'unsigned' ? [0, all - 1] : [-all / 2, all / 2 - 1]
}

/** A number that is not safe may have been rounded on its way here, and is none. */
function isIntegerOf(field: Field, value: unknown): value is number | bigint {
  if (typeof value !== 'bigint' && (typeof value !== 'number' || !Number.isSafeInteger(value))) return false
  const [least, most] = rangeOf(field)
  return value >= least && value <= most
}

function shown(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value)
  return value instanceof Uint8Array ? `${value.length} bytes` : `of type ${typeof value}`
}

/** What a field takes, in words. */
function takenBy(field: Field): string {
  switch (field.kind) {
    case 'float':
      return field.bytes === 8 ? 'a number' : `a number of at most ${field.bytes === 4 ? '3.4e38' : '65504'}`
    case 'boolean':
      return 'true or false'
    case 'byte':
      return 'a Uint8Array of one byte'
    case 'string':
    case 'pascal':
      return 'a Uint8Array'
    case 'signed':
    case 'unsigned':
    case 'pointer': {
      const [least, most] = rangeOf(field)
      return `a whole number from ${least} to ${most}${field.bytes === 8 ? ', as a bigint beyond 2^53 - 1' : ''}`
    }
  }
}
