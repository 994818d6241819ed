/**
 * Python's `struct` module: numbers and bytes at fixed places, as its format strings describe them.
 *
 * Checked against Python itself by `test/interop/python-struct.test.ts`.
 */

import { PosternError } from '../core/errors.ts'
import { excerptOfText } from '../core/escape.ts'
import { type Layout, parseFormat } from './struct-format.ts'
import type { StructInput, StructValues } from './struct-types.ts'
import { readerOf, type StructValue, structBytes, whyRefused, writerOf } from './struct-values.ts'

/** How a format is to be taken. */
export interface StructOptions {
  /**
   * Most bytes that a format may make. Default 16 MiB: `999999999s` is ten characters, and packing it would take 1 GB.
   * What holds more than this is better a typed array.
   */
  readonly maxBytes?: number
}

/** A format that was understood: packs and unpacks any number of times. */
export interface Struct<Format extends string = string> {
  readonly format: Format
  /** The bytes that it packs to, as Python's `calcsize` says. */
  readonly size: number
  /**
   * The values as new bytes. `s` and `p` are cut off at their length or filled up with zeros, as in Python.
   *
   * Throws `TypeError` for another number of values, and for one that its format character cannot hold.
   */
  readonly pack: (values: StructInput<Format>) => Uint8Array
  /** The values in exactly `size` bytes, of which they keep none. Throws `bad_frame` for another number of bytes. */
  readonly unpack: (bytes: Uint8Array) => StructValues<Format>
  /** The same for structs that lie behind each other, one after the other. */
  readonly iterUnpack: (bytes: Uint8Array) => Iterable<StructValues<Format>>
}

const defaultMaxBytes = 16 * 1024 * 1024

/**
 * Understands a format of Python's `struct` module.
 *
 * Throws `TypeError` for what is no such format, and `limit_exceeded` for one that makes more than `maxBytes`.
 *
 * @example
 * ```ts
 * import { struct } from 'postern/codecs'
 *
 * const point = struct('<Idd')
 * const bytes = point.pack([7, 1.5, -2]) //      Python: struct.pack('<Idd', 7, 1.5, -2)
 * const [id, x, y] = point.unpack(bytes) //      Python: struct.unpack('<Idd', data)
 * ```
 */
export function struct<Format extends string>(format: Format, options: StructOptions = {}): Struct<Format> {
  if (typeof format !== 'string') throw new TypeError(`a format is a string, as '<10f', not of type ${typeof format}`)
  const { maxBytes = defaultMaxBytes } = options
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 0) {
    throw new TypeError(`maxBytes is a whole number of bytes, not ${String(maxBytes)}`)
  }
  const layout = parseFormat(format, maxBytes)
  return {
    format,
    size: layout.size,
    pack: (values) => pack(layout, values),
    unpack: (bytes) => {
      checkLength(layout, bytes, bytes.length === layout.size)
      return unpack(layout, bytes) as StructValues<Format>
    },
    iterUnpack: (bytes) => {
      if (layout.size === 0) throw new TypeError(`the format ${excerptOfText(format)} takes no bytes to go on by`)
      checkLength(layout, bytes, bytes.length % layout.size === 0)
      return unpackEach(layout, bytes) as Iterable<StructValues<Format>>
    },
  }
}

function pack(layout: Layout, values: unknown): Uint8Array {
  if (!Array.isArray(values) || values.length !== layout.values) {
    const given = Array.isArray(values) ? `there are ${values.length}` : `this is of type ${typeof values}`
    throw new TypeError(`${named(layout)} packs an array of ${layout.values} values, and ${given}`)
  }
  const bytes = new Uint8Array(layout.size)
  const target = structBytes(bytes, layout.littleEndian)
  let index = 0
  for (const field of layout.fields) {
    const write = writerOf(field, target)
    for (let nth = 0; nth < field.values; nth++, index++) {
      const value: unknown = values[index]
      if (write(field.at + nth * field.bytes, value)) continue
      throw new TypeError(`values[${index}] of ${named(layout)} is ${whyRefused(field, value)}`)
    }
  }
  return bytes
}

function unpack(layout: Layout, bytes: Uint8Array): StructValue[] {
  const source = structBytes(bytes, layout.littleEndian)
  const values: StructValue[] = []
  for (const field of layout.fields) {
    const read = readerOf(field, source)
    for (let nth = 0; nth < field.values; nth++) values.push(read(field.at + nth * field.bytes))
  }
  return values
}

function* unpackEach(layout: Layout, bytes: Uint8Array): Generator<StructValue[]> {
  for (let start = 0; start < bytes.length; start += layout.size) {
    yield unpack(layout, bytes.subarray(start, start + layout.size))
  }
}

function checkLength(layout: Layout, bytes: Uint8Array, fits: boolean): void {
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`a struct is unpacked from a Uint8Array, not ${typeof bytes}`)
  if (fits) return
  throw new PosternError('bad_frame', `${named(layout)} takes ${layout.size} bytes, and there are ${bytes.length}`)
}

function named({ format }: Layout): string {
  return `the struct ${excerptOfText(format)}`
}
