/**
 * CBOR as this library takes it: lengths are definite, keys are text, and there are no tags and no simple values but
 * false, true and null. Dates and large integers in tags are refused, as the two sides would take them for something
 * else than what was sent. Integers and lengths may be written longer than they need be, floats in all three lengths.
 *
 * ```
 * first byte  3 bits type, 5 bits argument; 24-27: it follows in 1 2 4 8 bytes; 31: indefinite
 * type        0 integer  1 integer -1 - argument  2 bytes  3 text  4 array  5 map  6 tag
 *             7: 20 false  21 true  22 null  25-27 float of 2 4 8 bytes
 * ```
 *
 * Source: RFC 8949.
 */

import type { BinaryFormat, BinaryScan } from './binary-scan.ts'

const typeOf = (header: number): number => header >> 5
const argumentOf = (header: number): number => header & 0x1f

const textType = 3
const indefinite = 31

/** "PS", of the numbers that are free for all: behind it the number of a blob. */
const blobTag = 0x5053
const tag16 = 0xd9
const bytes8 = 0x48
const bytes11 = 0x4b

/** What the scan needs to know of CBOR. */
export const cborFormat: BinaryFormat = {
  title: 'CBOR',
  nothing: 0xf6,
  isText: (header) => typeOf(header) === textType,
  asBytes: (header) => header & ~0x20,
  item: scanItem,
  blob: {
    standIn: 11,
    mark(frame, header) {
      frame[header] = tag16
      frame.writeUInt16BE(blobTag, header + 1)
      frame[header + 3] = bytes8
      return header + 4
    },
    unmark(frame, header) {
      frame[header] = bytes11
      return header + 1
    },
  },
}

function scanItem(scan: BinaryScan): void {
  const start = scan.position
  const header = scan.byte()
  const info = argumentOf(header)
  switch (typeOf(header)) {
    case 0:
    case 1:
      return scanInteger(scan, header)
    case 2:
      return scan.byteString(scanArgument(scan, info), start)
    case textType:
      return scan.text(scanArgument(scan, info), start)
    case 4:
      return scan.array(scanArgument(scan, info))
    case 5:
      return scan.map(scanArgument(scan, info))
    case 6:
      return scanTag(scan, info, start)
    default:
      return scanSimple(scan, info)
  }
}

/** Only the tag of a blob is taken, as this library writes it. */
function scanTag(scan: BinaryScan, info: number, start: number): void {
  const tag = scanArgument(scan, info)
  if (tag === blobTag && info === 25 && scan.bytes[scan.position] === bytes8) {
    scan.skip(1)
    if (scan.blob(start)) return
  }
  throw scan.wrong(`has the tag ${tag}; none is taken`)
}

/** The argument of an item, of which `info` is the beginning or all. */
function scanArgument(scan: BinaryScan, info: number): number {
  if (info < 24) return info
  if (info === indefinite) throw scan.wrong('has an item of indefinite length')
  return scan.unsigned(argumentSize(scan, info))
}

function argumentSize(scan: BinaryScan, info: number): number {
  if (info > 27) throw scan.wrong(`has an item with the reserved argument ${info}`)
  return 1 << (info - 24)
}

function scanInteger(scan: BinaryScan, header: number): void {
  const info = argumentOf(header)
  if (info < 24) return
  const size = argumentSize(scan, info)
  const start = scan.position
  scan.integer(size)
  // -1 less 64 bits: half of that range is no integer of 64 bits.
  if (typeOf(header) === 1 && size === 8 && (scan.bytes[start] as number) >= 0x80) {
    throw scan.unfit('an integer below -2^63', 'send it as a string')
  }
}

function scanSimple(scan: BinaryScan, info: number): void {
  if (info >= 25 && info <= 27) return scan.float(1 << (info - 24))
  if (info < 20 || info > 22) throw scan.wrong(`has ${simpleName(info)}`)
}

function simpleName(info: number): string {
  if (info === 23) return 'undefined'
  return info === indefinite ? 'the end of an indefinite length' : `a simple value or float of kind ${info}`
}

/** The whole numbers that the top array begins with, as far as `head` holds them and they are safe. */
export function peekCborIntegers(head: Uint8Array): readonly number[] {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  const integers: number[] = []
  const array = headAt(view, 0)
  if (array?.type !== 4) return integers
  let position = array.end
  while (integers.length < array.argument) {
    const integer = headAt(view, position)
    if (integer === undefined || integer.type > 1) break
    integers.push(integer.type === 0 ? integer.argument : -1 - integer.argument)
    position = integer.end
  }
  return integers
}

interface Head {
  readonly type: number
  readonly argument: number
  readonly end: number
}

/** The type and argument of an item, where both are there and the argument is safe. */
function headAt(view: DataView, position: number): Head | undefined {
  if (position >= view.byteLength) return undefined
  const header = view.getUint8(position)
  const [type, info, next] = [typeOf(header), argumentOf(header), position + 1]
  if (info < 24) return { type, argument: info, end: next }
  const end = next + 2 ** (info - 24)
  if (info > 27 || end > view.byteLength) return undefined
  const argument = argumentReaders[info - 24]?.(view, next) as number
  return argument < Number.MAX_SAFE_INTEGER ? { type, argument, end } : undefined
}

const argumentReaders: readonly ((view: DataView, position: number) => number)[] = [
  (view, position) => view.getUint8(position),
  (view, position) => view.getUint16(position),
  (view, position) => view.getUint32(position),
  (view, position) => Number(view.getBigUint64(position)),
]
