/**
 * MessagePack as this library takes it: its specification without extensions, but for timestamps of whole
 * milliseconds.
 *
 * ```
 * 00-7f e0-ff   small integers        c4-c6  bytes, length in 1 2 4
 * 80-8f de df   map                   c7-c9  extension, length in 1 2 4
 * 90-9f dc dd   array                 d4-d8  extension of 1 2 4 8 16 bytes
 * a0-bf d9-db   text                  ca cb  float of 4 8 bytes
 * c0 c2 c3      nil false true        cc-cf d0-d3  integer of 1 2 4 8 bytes
 * ```
 *
 * Source: the MessagePack specification of 2017.
 */

import type { BinaryFormat, BinaryScan } from './binary-scan.ts'

/** Ours, of the types that are free for all: the number of a blob. */
const blobType = 0x50
const fixedExtension8 = 0xd7
const bytes8 = 0xc4

/** What the scan needs to know of MessagePack. */
export const msgpackFormat: BinaryFormat = {
  title: 'MessagePack',
  nothing: 0xc0,
  isText: (header) => (header >= 0xa0 && header < 0xc0) || (header >= 0xd9 && header <= 0xdb),
  asBytes: (header) => header - 0xd9 + 0xc4,
  item: scanItem,
  blob: {
    standIn: 8,
    mark(frame, header) {
      frame[header] = fixedExtension8
      frame[header + 1] = blobType
      return header + 2
    },
    unmark(frame, header) {
      frame[header] = bytes8
      frame[header + 1] = 8
      return header + 2
    },
  },
}

function scanItem(scan: BinaryScan): void {
  const start = scan.position
  const header = scan.byte()
  if (header < 0x80 || header >= 0xe0) return
  if (header < 0x90) scan.map(header & 0x0f)
  else if (header < 0xa0) scan.array(header & 0x0f)
  else if (header < 0xc0) scan.text(header & 0x1f, start)
  else (rests[header - 0xc0] as ScanRest)(scan, start)
}

type ScanRest = (scan: BinaryScan, start: number) => void

const bytes =
  (size: number): ScanRest =>
  (scan, start) =>
    scan.byteString(scan.unsigned(size), start)
const text =
  (size: number): ScanRest =>
  (scan, start) =>
    scan.text(scan.unsigned(size), start)
const array =
  (size: number): ScanRest =>
  (scan) =>
    scan.array(scan.unsigned(size))
const map =
  (size: number): ScanRest =>
  (scan) =>
    scan.map(scan.unsigned(size))
const integer =
  (size: number): ScanRest =>
  (scan) =>
    scan.integer(size)
const float =
  (size: number): ScanRest =>
  (scan) =>
    scan.float(size)
const extension =
  (size: number): ScanRest =>
  (scan) =>
    scanExtension(scan, scan.unsigned(size))
const fixedExtension =
  (length: number): ScanRest =>
  (scan, start) => {
    if (length === 8 && scan.bytes[scan.position] === blobType) {
      scan.skip(1)
      if (scan.blob(start)) return
      scan.position--
    }
    scanExtension(scan, length)
  }
const nothing: ScanRest = () => undefined
const reserved: ScanRest = (scan) => {
  throw scan.wrong('has the byte 0xc1, which means nothing')
}

/** What follows each of the bytes 0xc0 to 0xdf. */
const rests: readonly ScanRest[] = [
  ...[nothing, reserved, nothing, nothing, bytes(1), bytes(2), bytes(4), extension(1), extension(2), extension(4)],
  ...[float(4), float(8), ...[1, 2, 4, 8].map(integer), ...[1, 2, 4, 8].map(integer)],
  ...[1, 2, 4, 8, 16].map(fixedExtension),
  ...[text(1), text(2), text(4), array(2), array(4), map(2), map(4)],
]

const timestamp = 0xff
/** A Date ends here, in seconds either way. */
const lastSecond = 8.64e12

/** An extension is its type and its data; only timestamps are taken, in all their three lengths. */
function scanExtension(scan: BinaryScan, length: number): void {
  const type = scan.byte()
  const start = scan.object(length)
  const isTimestamp = type === timestamp && (length === 4 || length === 8 || length === 12)
  if (!isTimestamp) throw scan.wrong(`has an extension of type ${(type << 24) >> 24} and ${length} bytes`)
  if (length === 4) return
  // The nanoseconds are 30 of the 64 bits, or 32 before the seconds.
  const first = scan.bytes.readUInt32BE(start)
  const nanoseconds = length === 8 ? first >>> 2 : first
  if (nanoseconds >= 1e9) throw scan.wrong('has a timestamp of more nanoseconds than a second has')
  if (nanoseconds % 1e6 !== 0) throw scan.unfit('a timestamp finer than a millisecond', 'send it as an integer')
  if (length === 8) return
  const seconds = Number(scan.bytes.readBigInt64BE(start + 4))
  if (seconds < -lastSecond || seconds + nanoseconds / 1e9 > lastSecond) {
    throw scan.unfit('a timestamp beyond the range of a Date', 'send it as an integer')
  }
}

/** The whole numbers that the top array begins with, as far as `head` holds them and they are safe. */
export function peekMsgpackIntegers(head: Uint8Array): readonly number[] {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  const [count, first] = arrayHead(view)
  const integers: number[] = []
  let position = first
  while (integers.length < count && position < view.byteLength) {
    const integer = integerAt(view, position)
    if (integer === undefined) break
    integers.push(integer.value)
    position = integer.end
  }
  return integers
}

/** How many items the top array has, and where they begin; none where it is no array. */
function arrayHead(view: DataView): readonly [count: number, first: number] {
  const length = view.byteLength
  const header = length > 0 ? view.getUint8(0) : 0
  if (header >= 0x90 && header < 0xa0) return [header & 0x0f, 1]
  if (header === 0xdc && length >= 3) return [view.getUint16(1), 3]
  if (header === 0xdd && length >= 5) return [view.getUint32(1), 5]
  return [0, 0]
}

function integerAt(view: DataView, position: number): { value: number; end: number } | undefined {
  const header = view.getUint8(position)
  const next = position + 1
  if (header < 0x80 || header >= 0xe0) return { value: view.getInt8(position), end: next }
  if (header < 0xcc || header > 0xd3) return undefined
  const end = next + 2 ** (header & 0x03)
  if (end > view.byteLength) return undefined
  const value = integerReaders[header - 0xcc]?.(view, next) as number
  return Number.isSafeInteger(value) ? { value, end } : undefined
}

/** For the bytes 0xcc to 0xd3. */
const integerReaders: readonly ((view: DataView, position: number) => number)[] = [
  (view, position) => view.getUint8(position),
  (view, position) => view.getUint16(position),
  (view, position) => view.getUint32(position),
  (view, position) => Number(view.getBigUint64(position)),
  (view, position) => view.getInt8(position),
  (view, position) => view.getInt16(position),
  (view, position) => view.getInt32(position),
  (view, position) => Number(view.getBigInt64(position)),
]
