/** How the values of each format character are written to bytes and read from them. */

import { halfBitsOf, halfOf } from './half-float.ts'
import type { Field } from './struct-format.ts'

/** What a format character holds: integers of 64 bits are `bigint`, smaller ones `number`. */
export type StructValue = number | bigint | boolean | Uint8Array

/** The bytes of a struct. */
export interface StructBytes {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly littleEndian: boolean
}

/** Looks at bytes in one order. */
export function structBytes(bytes: Uint8Array, littleEndian: boolean): StructBytes {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), littleEndian }
}

/** Reads one value of a field at a place. */
export type Reader = (at: number) => StructValue

/** What reads the values of a field; bytes come as a copy, which pins none of those it was read from. */
export function readerOf(field: Field, source: StructBytes): Reader {
  const { bytes, view } = source
  switch (field.kind) {
    case 'float':
      return floatReader(field, source)
    case 'boolean':
      return (at) => view.getUint8(at) !== 0
    case 'byte':
    case 'string':
      return (at) => new Uint8Array(bytes.subarray(at, at + field.bytes))
    case 'pascal':
      return (at) => {
        const length = field.bytes === 0 ? 0 : Math.min(view.getUint8(at), field.bytes - 1)
        return new Uint8Array(bytes.subarray(at + 1, at + 1 + length))
      }
    case 'signed':
      return signedReader(field, source)
    case 'unsigned':
    case 'pointer':
      return unsignedReader(field, source)
  }
}

function floatReader({ bytes }: Field, { view, littleEndian }: StructBytes): Reader {
  if (bytes === 8) return (at) => view.getFloat64(at, littleEndian)
  if (bytes === 4) return (at) => view.getFloat32(at, littleEndian)
  return (at) => halfOf(view.getUint16(at, littleEndian))
}

function signedReader({ bytes }: Field, { view, littleEndian }: StructBytes): Reader {
  if (bytes === 8) return (at) => view.getBigInt64(at, littleEndian)
  if (bytes === 4) return (at) => view.getInt32(at, littleEndian)
  if (bytes === 2) return (at) => view.getInt16(at, littleEndian)
  return (at) => view.getInt8(at)
}

function unsignedReader({ bytes }: Field, { view, littleEndian }: StructBytes): Reader {
  if (bytes === 8) return (at) => view.getBigUint64(at, littleEndian)
  if (bytes === 4) return (at) => view.getUint32(at, littleEndian)
  if (bytes === 2) return (at) => view.getUint16(at, littleEndian)
  return (at) => view.getUint8(at)
}

/** Writes one value of a field at a place; false for one that the field cannot hold, of which nothing is written. */
export type Writer = (at: number, value: unknown) => boolean

/** What writes the values of a field, over bytes that are zero. */
export function writerOf(field: Field, target: StructBytes): Writer {
  switch (field.kind) {
    case 'float':
      return floatWriter(field, target)
    case 'boolean':
      return (at, value) => {
        if (typeof value !== 'boolean') return false
        target.view.setUint8(at, value ? 1 : 0)
        return true
      }
    case 'byte':
    case 'string':
      return bytesWriter(field, target)
    case 'pascal':
      return pascalWriter(field, target)
    case 'signed':
    case 'unsigned':
    case 'pointer':
      return integerWriter(field, target)
  }
}

/** A finite number that would become infinite is refused. */
function floatWriter({ bytes }: Field, { view, littleEndian }: StructBytes): Writer {
  const fits = (value: number, rounded: number): boolean => Number.isFinite(rounded) || !Number.isFinite(value)
  return (at, value) => {
    if (typeof value !== 'number') return false
    if (bytes === 8) view.setFloat64(at, value, littleEndian)
    else if (bytes === 4) {
      if (!fits(value, Math.fround(value))) return false
      view.setFloat32(at, value, littleEndian)
    } else {
      const bits = halfBitsOf(value)
      if (!fits(value, halfOf(bits))) return false
      view.setUint16(at, bits, littleEndian)
    }
    return true
  }
}

function bytesWriter({ kind, bytes }: Field, target: StructBytes): Writer {
  return (at, value) => {
    if (!(value instanceof Uint8Array) || (kind === 'byte' && value.length !== 1)) return false
    target.bytes.set(value.subarray(0, bytes), at)
    return true
  }
}

/** The largest length that the first byte of a `p` can tell. */
const maxPascalLength = 255

function pascalWriter({ bytes }: Field, target: StructBytes): Writer {
  return (at, value) => {
    if (!(value instanceof Uint8Array)) return false
    if (bytes === 0) return true
    const text = value.subarray(0, bytes - 1)
    target.view.setUint8(at, Math.min(text.length, maxPascalLength))
    target.bytes.set(text, at + 1)
    return true
  }
}

function integerWriter(field: Field, target: StructBytes): Writer {
  const [least, most] = rangeOf(field)
  const set = integerSetter(field, target)
  return (at, value) => {
    if (!isExact(value) || value < least || value > most) return false
    set(at, value)
    return true
  }
}

/** A number that is not safe may have been rounded on its way here. */
function isExact(value: unknown): value is number | bigint {
  return typeof value === 'bigint' || Number.isSafeInteger(value)
}

/** What is above its bits is cut off, which makes two's complement of a negative number. */
function integerSetter(
  { bytes }: Field,
  { view, littleEndian }: StructBytes,
): (at: number, value: number | bigint) => void {
  if (bytes === 8) return (at, value) => view.setBigUint64(at, BigInt(value), littleEndian)
  if (bytes === 4) return (at, value) => view.setUint32(at, Number(value), littleEndian)
  if (bytes === 2) return (at, value) => view.setUint16(at, Number(value), littleEndian)
  return (at, value) => view.setUint8(at, Number(value))
}

/** The least and the greatest integer of a field. A pointer may be written as a negative number, as in Python. */
function rangeOf({ kind, bytes }: Field): readonly [least: number | bigint, most: number | bigint] {
  if (bytes === 8) return [kind === 'unsigned' ? 0n : -(2n ** 63n), kind === 'signed' ? 2n ** 63n - 1n : 2n ** 64n - 1n]
  const all = 2 ** (8 * bytes)
  return kind === 'unsigned' ? [0, all - 1] : [-all / 2, all / 2 - 1]
}

/** Why a field cannot hold a value, in words. */
export function whyRefused(field: Field, value: unknown): string {
  return `${shown(value)}; ${field.character} takes ${takenBy(field)}`
}

function shown(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value)
  return value instanceof Uint8Array ? `${value.length} bytes` : `of type ${typeof value}`
}

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
