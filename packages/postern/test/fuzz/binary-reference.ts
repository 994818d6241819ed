/**
 * Plain decoders of MessagePack and CBOR, for frames that are known to be whole and allowed: what the codecs give is
 * compared with what these do.
 */

/** A decoder's place in a frame. */
interface Place {
  readonly bytes: Buffer
  at: number
}

type Read = (place: Place) => unknown

export function referenceMsgpack(bytes: Buffer): unknown {
  return readMsgpack({ bytes, at: 0 })
}

export function referenceCbor(bytes: Buffer): unknown {
  return readCbor({ bytes, at: 0 })
}

function take(place: Place, length: number): Buffer {
  place.at += length
  return place.bytes.subarray(place.at - length, place.at)
}

function unsigned(place: Place, size: number): bigint {
  return BigInt(`0x${take(place, size).toString('hex')}`)
}

function integer(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value
}

function text(bytes: Buffer): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
}

function list(place: Place, count: number, read: Read): unknown[] {
  return Array.from({ length: count }, () => read(place))
}

function object(place: Place, count: number, read: Read): unknown {
  const members = Array.from({ length: count }, () => [read(place), read(place)] as const)
  const value = Object.fromEntries(members) as unknown
  if (Object.keys(value as object).length !== count) throw new Error('two members of one name')
  return value
}

function readMsgpack(place: Place): unknown {
  const header = take(place, 1).readUInt8()
  if (header < 0x80 || header >= 0xe0) return header < 0x80 ? header : header - 0x100
  if (header < 0x90) return object(place, header & 15, readMsgpack)
  if (header < 0xa0) return list(place, header & 15, readMsgpack)
  if (header < 0xc0) return text(take(place, header & 31))
  return header < 0xcc || header > 0xd3 ? readSized(place, header) : readInteger(place, header)
}

function readInteger(place: Place, header: number): number | bigint {
  const size = 2 ** (header & 3)
  const value = unsigned(place, size)
  return integer(header < 0xd0 ? value : BigInt.asIntN(8 * size, value))
}

function readSized(place: Place, header: number): unknown {
  const sized = (first: number): number => Number(unsigned(place, 2 ** (header - first)))
  if (header >= 0xc4 && header <= 0xc6) return new Uint8Array(take(place, sized(0xc4)))
  if (header >= 0xc7 && header <= 0xc9) return timestamp(place, sized(0xc7))
  if (header === 0xca) return take(place, 4).readFloatBE()
  if (header === 0xcb) return take(place, 8).readDoubleBE()
  if (header >= 0xd4 && header <= 0xd8) return timestamp(place, 2 ** (header - 0xd4))
  if (header >= 0xd9 && header <= 0xdb) return text(take(place, sized(0xd9)))
  if (header >= 0xdc && header <= 0xdd) return list(place, sized(0xdb), readMsgpack)
  if (header >= 0xde) return object(place, sized(0xdd), readMsgpack)
  return { 0xc0: null, 0xc2: false, 0xc3: true }[header]
}

function timestamp(place: Place, length: number): Date {
  take(place, 1)
  if (length === 4) return new Date(Number(unsigned(place, 4)) * 1_000)
  if (length === 8) {
    const both = unsigned(place, 8)
    return new Date(Number((both & (2n ** 34n - 1n)) * 1_000n + (both >> 34n) / 1_000_000n))
  }
  const milliseconds = unsigned(place, 4) / 1_000_000n
  return new Date(Number(BigInt.asIntN(64, unsigned(place, 8)) * 1_000n + milliseconds))
}

function readCbor(place: Place): unknown {
  const header = take(place, 1).readUInt8()
  const [type, info] = [header >> 5, header & 31]
  if (type === 7 && info >= 25) return float(take(place, 2 ** (info - 24)))
  const argument = info < 24 ? BigInt(info) : unsigned(place, 2 ** (info - 24))
  const size = Number(argument)
  switch (type) {
    case 0:
      return integer(argument)
    case 1:
      return integer(-1n - argument)
    case 2:
      return new Uint8Array(take(place, size))
    case 3:
      return text(take(place, size))
    case 4:
      return list(place, size, readCbor)
    case 5:
      return object(place, size, readCbor)
    default:
      return { 20: false, 21: true, 22: null }[size]
  }
}

function float(bytes: Buffer): number {
  if (bytes.length === 8) return bytes.readDoubleBE()
  if (bytes.length === 4) return bytes.readFloatBE()
  const bits = bytes.readUInt16BE()
  const [sign, exponent, fraction] = [bits >> 15 === 1 ? -1 : 1, (bits >> 10) & 31, bits & 1023]
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))
}
