/** The ways from a value to the bytes of a frame and back that are compared: libraries by themselves, and our codecs. */

import { type Codec, json, loadBinaryCodec } from 'postern/codecs'

export interface CodecWay {
  encode(value: unknown): Uint8Array
  decode(bytes: Uint8Array): unknown
  /** Bytes are to be put into text first. */
  readonly textOnly?: true
}

/** By their names in the table, the base first. The libraries run with the settings of their own `encode` and `decode`. */
const ways = {
  'JSON.stringify, JSON.parse': async () => jsonAlone,
  'postern json': async () => ({ ...wayOf(json), textOnly: true }),
  msgpackr: async () => {
    const { pack, unpack } = await import('msgpackr')
    return { encode: (value) => pack(value), decode: (bytes) => unpack(bytes) as unknown }
  },
  'postern msgpack': async () => wayOf(await loadBinaryCodec('msgpack')),
  'cbor-x': async () => {
    const { encode, decode } = await import('cbor-x')
    return { encode: (value) => encode(value), decode: (bytes) => decode(bytes) as unknown }
  },
  'postern cbor': async () => wayOf(await loadBinaryCodec('cbor')),
} satisfies Readonly<Record<string, () => Promise<CodecWay>>>

export type CodecWayName = keyof typeof ways

export const codecWayNames = Object.keys(ways) as readonly CodecWayName[]

/** Loads a way, and only what it needs. */
export function loadCodecWay(name: CodecWayName): Promise<CodecWay> {
  return ways[name]()
}

const jsonAlone: CodecWay = {
  encode: (value) => Buffer.from(JSON.stringify(value)),
  decode: (bytes) => JSON.parse((bytes as Buffer).toString()) as unknown,
  textOnly: true,
}

/** A frame of text becomes bytes on its way out, which is part of its cost. */
function wayOf(codec: Codec): CodecWay {
  return {
    encode: (value) => {
      const frame = codec.encode(value)
      return typeof frame === 'string' ? Buffer.from(frame) : frame
    },
    decode: (bytes) => codec.decode(bytes),
  }
}
