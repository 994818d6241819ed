/**
 * MessagePack on msgpackr, a peer that need not be installed: this module is loaded by `loadBinaryCodec` alone.
 *
 * Timestamps are read as `Date`, where they are whole milliseconds; other extensions are refused, and with them what
 * only msgpackr knows: records, shared structures, bundled strings.
 */

// The part without the native add-on, so that a peer's bytes are read in JavaScript, and the same everywhere.
import { Packr, Unpackr } from 'msgpackr/pack'
import { binaryCodec } from './binary-codec.ts'
import type { BinaryCodec } from './codec.ts'
import { msgpackFormat, peekMsgpackIntegers } from './msgpack-scanner.ts'

const options = { useRecords: false, variableMapSize: true, useToJSON: false } as const

const packr = new Packr(options)
const objects = new Unpackr({ ...options, copyBuffers: true })
const maps = new Unpackr({ ...options, mapsAsObjects: false })

/** The MessagePack codec. */
export const msgpack: BinaryCodec = binaryCodec({
  name: 'msgpack',
  format: msgpackFormat,
  library: {
    encode: (value) => packr.pack(value),
    useBuffer: (buffer) => packr.useBuffer(buffer),
    decode: (bytes) => objects.unpack(bytes) as unknown,
    decodeMaps: (bytes) => maps.unpack(bytes) as unknown,
  },
  peekIntegers: peekMsgpackIntegers,
})
