/**
 * The format strings of Python's `struct` module, read as a plan: which bytes hold which value.
 *
 * ```
 * <10f      the first character may say order, sizes and alignment:  @ or none  native order, native sizes, aligned
 * !I 4s     then a count and a character for each item               =          native order, standard sizes
 *                                                                    < > !      little-, big-, big-endian, standard sizes
 * ```
 *
 * Source: https://docs.python.org/3/library/struct.html#format-strings. Native sizes and alignment are those of Linux and
 * macOS on 64 bits, wherever this runs.
 */

import { endianness } from 'node:os'
import { PosternError } from '../core/errors.ts'
import { excerptOfText } from '../core/escape.ts'

/** How the bytes of a value are read. */
export type Kind = 'signed' | 'unsigned' | 'pointer' | 'float' | 'boolean' | 'byte' | 'string' | 'pascal' | 'padding'

interface Character {
  readonly kind: Kind
  /** Also what it is aligned to, where things are aligned. */
  readonly nativeBytes: number
  /** Absent where Python has the character in native formats only. */
  readonly standardBytes?: number
}

const characters: ReadonlyMap<string, Character> = new Map([
  ['x', { kind: 'padding', nativeBytes: 1, standardBytes: 1 }],
  ['c', { kind: 'byte', nativeBytes: 1, standardBytes: 1 }],
  ['b', { kind: 'signed', nativeBytes: 1, standardBytes: 1 }],
  ['B', { kind: 'unsigned', nativeBytes: 1, standardBytes: 1 }],
  ['?', { kind: 'boolean', nativeBytes: 1, standardBytes: 1 }],
  ['h', { kind: 'signed', nativeBytes: 2, standardBytes: 2 }],
  ['H', { kind: 'unsigned', nativeBytes: 2, standardBytes: 2 }],
  ['i', { kind: 'signed', nativeBytes: 4, standardBytes: 4 }],
  ['I', { kind: 'unsigned', nativeBytes: 4, standardBytes: 4 }],
  ['l', { kind: 'signed', nativeBytes: 8, standardBytes: 4 }],
  ['L', { kind: 'unsigned', nativeBytes: 8, standardBytes: 4 }],
  ['q', { kind: 'signed', nativeBytes: 8, standardBytes: 8 }],
  ['Q', { kind: 'unsigned', nativeBytes: 8, standardBytes: 8 }],
  ['n', { kind: 'signed', nativeBytes: 8 }],
  ['N', { kind: 'unsigned', nativeBytes: 8 }],
  ['P', { kind: 'pointer', nativeBytes: 8 }],
  ['e', { kind: 'float', nativeBytes: 2, standardBytes: 2 }],
  ['f', { kind: 'float', nativeBytes: 4, standardBytes: 4 }],
  ['d', { kind: 'float', nativeBytes: 8, standardBytes: 8 }],
  ['s', { kind: 'string', nativeBytes: 1, standardBytes: 1 }],
  ['p', { kind: 'pascal', nativeBytes: 1, standardBytes: 1 }],
])

/** Values of one item, which lie behind each other. */
export interface Field {
  readonly character: string
  readonly kind: Exclude<Kind, 'padding'>
  /** Where the first value begins. */
  readonly at: number
  /** The bytes of one value. */
  readonly bytes: number
  /** How many there are: with `s` and `p` one, whatever the count. */
  readonly values: number
}

/** What a format says. */
export interface Layout {
  readonly format: string
  readonly littleEndian: boolean
  readonly fields: readonly Field[]
  readonly size: number
  /** How many values all fields hold. */
  readonly values: number
}

/** Throws `TypeError` for what is no format in Python either, and `limit_exceeded` for one of more than `maxBytes`. */
export function parseFormat(format: string, maxBytes: number): Layout {
  const order = /^[@=<>!]/.exec(format)?.[0] ?? ''
  const native = order === '' || order === '@'
  const littleEndian = order === '<' || ((native || order === '=') && endianness() === 'LE')
  const fields: Field[] = []
  let size = 0
  for (const { count, character, kind, bytes } of itemsOf(format, order.length, native)) {
    if (native) size = Math.ceil(size / bytes) * bytes
    const at = size
    size += count * bytes
    if (size > maxBytes) throw tooLarge(format, size, maxBytes)
    if (kind === 'string' || kind === 'pascal') fields.push({ character, kind, at, bytes: count, values: 1 })
    else if (kind !== 'padding' && count > 0) fields.push({ character, kind, at, bytes, values: count })
  }
  const values = fields.reduce((sum, field) => sum + field.values, 0)
  return { format, littleEndian, fields, size, values }
}

interface Item {
  readonly count: number
  readonly character: string
  readonly kind: Kind
  readonly bytes: number
}

/** An item, or white space, which may stand between items and nowhere else. */
const itemPattern = /[ \t\n\v\f\r]+|(\d*)([^])/g

function* itemsOf(format: string, start: number, native: boolean): Generator<Item> {
  for (const [, digits, character] of format.slice(start).matchAll(itemPattern)) {
    if (digits === undefined || character === undefined) continue
    const found = characters.get(character)
    if (found === undefined) throw notAFormat(format, character)
    const { kind, nativeBytes, standardBytes } = found
    const bytes = native ? nativeBytes : standardBytes
    if (bytes === undefined) throw onlyNative(format, character)
    yield { count: digits === '' ? 1 : Number(digits), character, kind, bytes }
  }
}

function notAFormat(format: string, character: string): TypeError {
  const why = /\d/.test(character)
    ? 'ends with a count, behind which a format character is missing'
    : `has ${excerptOfText(character)}, which is no format character there; they are ${[...characters.keys()].join(' ')}`
  return new TypeError(`the format ${excerptOfText(format)} ${why}`)
}

function onlyNative(format: string, character: string): TypeError {
  const sentence = `the format ${excerptOfText(format)} has ${character}, which is there in native formats only`
  return new TypeError(`${sentence}: take q or Q, or begin with @`)
}

function tooLarge(format: string, size: number, maxBytes: number): PosternError {
  const sentence = `the format ${excerptOfText(format)} makes ${size} bytes or more, which exceeds maxBytes (${maxBytes})`
  return new PosternError('limit_exceeded', sentence)
}
