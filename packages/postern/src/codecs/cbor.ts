/**
 * CBOR on cbor-x, a peer that need not be installed: this module is loaded by `loadBinaryCodec` alone.
 *
 * Tags are refused, and with them what only cbor-x knows: records, shared structures, packed values.
 */

// The part without the native add-on, so that a peer's bytes are read in JavaScript, and the same everywhere.
import { Decoder, Encoder } from 'cbor-x/encode'
import { binaryCodec } from './binary-codec.ts'
import { cborFormat, peekCborIntegers } from './cbor-scanner.ts'
import type { BinaryCodec } from './codec.ts'

const options = { useRecords: false, variableMapSize: true, tagUint8Array: false } as const

// Its types leave this method out.
const encoder = new Encoder(options) as Encoder & { useBuffer(buffer: Uint8Array): void }
const objects = new Decoder({ ...options, copyBuffers: true })
const maps = new Decoder({ ...options, mapsAsObjects: false })

/** The CBOR codec. */
export const cbor: BinaryCodec = binaryCodec({
  name: 'cbor',
  format: cborFormat,
  library: {
    encode: (value) => encoder.encode(value),
    useBuffer: (buffer) => encoder.useBuffer(buffer),
    decode: (bytes) => objects.decode(bytes) as unknown,
    decodeMaps: (bytes) => maps.decode(bytes) as unknown,
  },
  peekIntegers: peekCborIntegers,
})
