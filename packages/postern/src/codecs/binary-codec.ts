/**
 * What the codecs for MessagePack and CBOR have in common: a library writes and reads the bytes, and nothing passes it
 * that it would change.
 *
 * A contract means the same over every codec: what JSON takes is taken, and a `Date` or another object with `toJSON`
 * travels as what that gives; NaN and the infinities are refused, both ways. Beyond JSON come bytes and integers of 64
 * bits. Safe integers are numbers and the others bigints, both ways. Members of one name in one map, and nesting deeper
 * than 512, are refused.
 */

import type { Blobs } from '../core/blobs.ts'
import { PosternError } from '../core/errors.ts'
import { type PlacedBlob, prepare } from './binary-prepare.ts'
import { type BinaryFormat, BinaryScan, type RawRange } from './binary-scan.ts'
import { Settlement, type SettleOptions } from './binary-settle.ts'
import { type BinaryCodec, type DecodeOptions, type Integers, RawValue } from './codec.ts'

/** What does the writing and reading. It keeps nothing from one value to the next. */
export interface BinaryLibrary {
  /** The bytes may be part of a buffer that it goes on to fill. */
  encode(value: unknown): Uint8Array
  /** The buffer that it fills from now on. */
  useBuffer(buffer: Uint8Array): void
  /** Decodes with maps as objects, bytes as copies, and integers of 8 bytes as numbers or bigints. */
  decode(bytes: Uint8Array): unknown
  /** The same with maps as `Map`, and bytes as views of `bytes`. */
  decodeMaps(bytes: Uint8Array): unknown
}

/** What makes a codec. */
export interface BinaryCodecParts {
  readonly name: BinaryCodec['name']
  readonly format: BinaryFormat
  readonly library: BinaryLibrary
  readonly peekIntegers: BinaryCodec['peekIntegers']
}

/** A codec on a library. */
export function binaryCodec({ name, format, library, peekIntegers }: BinaryCodecParts): BinaryCodec {
  return {
    name,
    encode: (value, blobs) => encode(value, blobs, { format, library }),
    decode: (frame, options = {}) => decode(asBuffer(frame), options, { format, library }),
    peekIntegers,
  }
}

/** Both libraries begin with a buffer of this size, and let a larger one grow to a multiple of what is in it. */
const usualBuffer = 8 * 1024
/** In buffers above this, frames would hold on to much memory. */
const largeBuffer = 64 * 1024

function encode(value: unknown, blobs: Blobs | undefined, { format, library }: Reader): Uint8Array {
  const writing = blobs === undefined ? undefined : { blobs, standIn: new Uint8Array(format.blob.standIn) }
  const prepared = prepare(value, format.title, writing)
  const bytes = written(prepared.value, library)
  if (prepared.hasNegativeZero) writeNegativeZeros(bytes, format)
  if (blobs !== undefined && prepared.blobs.length > 0)
    writeBlobs(asBuffer(bytes), format, { blobs, placed: prepared.blobs })
  return bytes
}

function written(value: unknown, library: BinaryLibrary): Uint8Array {
  let bytes: Uint8Array
  try {
    bytes = library.encode(value)
  } catch (cause) {
    throw new PosternError('frame_too_large', 'a frame has more bytes than a buffer can hold', { cause })
  }
  if (bytes.buffer.byteLength <= largeBuffer) return bytes
  library.useBuffer(Buffer.allocUnsafeSlow(usualBuffer))
  return new Uint8Array(bytes)
}

/** Hands the blobs over and writes their numbers where they stand. */
function writeBlobs(
  frame: Buffer,
  format: BinaryFormat,
  { blobs, placed }: { readonly blobs: Blobs; readonly placed: readonly PlacedBlob[] },
): void {
  const headers: number[] = []
  new BinaryScan(format, frame, { byteString: (header) => void headers.push(header) }).run()
  for (const { bytes, place } of placed) {
    const start = format.blob.mark(frame, headers[place] as number)
    frame.writeBigUInt64BE(BigInt(blobs.send(bytes)), start)
  }
}

/** Every number that is not finite becomes the -0 that it stands for. */
function writeNegativeZeros(bytes: Uint8Array, format: BinaryFormat): void {
  const notFinite = (position: number): void => {
    bytes[position] = 0x80
    bytes[position + 1] = 0
  }
  new BinaryScan(format, asBuffer(bytes), { notFinite }).run()
}

interface Reader {
  readonly format: BinaryFormat
  readonly library: BinaryLibrary
}

function decode(bytes: Buffer, options: DecodeOptions, reader: Reader): unknown {
  const scan = new BinaryScan(reader.format, bytes, { ...options, takesBlobs: options.blobs !== undefined })
  scan.run()
  if (scan.raw === undefined) return settled(scan, options, reader)
  giveBack(scan, scan.raw, options.blobs)
  return decodeAround(bytes, { ...options, ...scan.raw }, reader)
}

/** Who gets raw bytes cannot take the blobs that they name. */
function giveBack({ blobs: named }: BinaryScan, { start, end }: RawRange, blobs: Blobs | undefined): void {
  for (const { header, id } of named) if (header >= start && header < end) blobs?.take(id)
}

/** Decodes what a scan has passed. */
function settled(
  scan: BinaryScan,
  { integers = 'bigint', blobs }: DecodeOptions,
  { format, library }: Reader,
): unknown {
  const isOdd = scan.hasPrototypeKey || scan.markedTexts.length > 0 || scan.blobs.length > 0
  if (isOdd) return settledOdd(scan, { integers, blobs }, { format, library })
  const decoded = read(() => library.decode(viewOf(scan.bytes)))
  if (!scan.hasWideIntegers && scan.members < 2) return decoded
  return settle(decoded, scan, { integers })
}

/** The same for what the library would change, or does not know. */
function settledOdd(
  scan: BinaryScan,
  { integers, blobs }: { readonly integers: Integers; readonly blobs: Blobs | undefined },
  { format, library }: Reader,
): unknown {
  const copy = withoutTexts(scan, format)
  const takes = new Map<number, () => Uint8Array>()
  if (blobs !== undefined)
    for (const { header, id } of scan.blobs) takes.set(format.blob.unmark(copy, header), () => blobs.take(id))
  const texts = new Set(scan.markedTexts.map((text) => text.start))
  return settle(
    read(() => library.decodeMaps(copy)),
    scan,
    { integers, texts, blobs: takes },
  )
}

function settle(decoded: unknown, scan: BinaryScan, options: SettleOptions): unknown {
  const settlement = new Settlement(options)
  const value = settlement.of(decoded)
  if (settlement.members !== scan.members) throw scan.wrong('has a map with two members of one name')
  return value
}

/** Runs a library on what the scan has passed. It still may end: a `Map` has room for 2^24 members. */
function read(decode: () => unknown): unknown {
  try {
    return decode()
  } catch (cause) {
    throw new PosternError('bad_frame', 'a frame cannot be decoded, though it is whole', { cause })
  }
}

/** A copy of the frame in which the texts that a library would shorten are bytes. */
function withoutTexts({ bytes, markedTexts }: BinaryScan, format: BinaryFormat): Uint8Array {
  const copy = new Uint8Array(bytes)
  for (const { header } of markedTexts) copy[header] = format.asBytes(copy[header] as number)
  return copy
}

/** Decodes an array but for one item, whose bytes it leaves as they are. */
function decodeAround(bytes: Buffer, options: DecodeOptions & RawRange, reader: Reader): unknown {
  const { rawItem: _, place, start, end, ...rest } = options
  const outside = Buffer.allocUnsafe(bytes.length - (end - start) + 1)
  bytes.copy(outside, 0, 0, start)
  outside[start] = reader.format.nothing
  bytes.copy(outside, start + 1, end)
  const items = decode(outside, rest, reader) as unknown[]
  items[place] = new RawValue(new Uint8Array(bytes.subarray(start, end)))
  return items
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** The bytes in an object of their own: a library leaves a mark on what it reads, and makes copies of the same kind. */
function viewOf(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}
