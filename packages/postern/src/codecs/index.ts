/** Codecs: how a value becomes the bytes of a frame and back. */

export { type BinaryCodec, type Codec, type DecodeOptions, type Integers, RawValue } from './codec.ts'
export { json } from './json.ts'
export { type BinaryCodecName, loadBinaryCodec } from './load-codec.ts'
export { type Struct, type StructOptions, struct } from './struct.ts'
export type { StructInput, StructValues } from './struct-types.ts'
export type { StructValue } from './struct-values.ts'
