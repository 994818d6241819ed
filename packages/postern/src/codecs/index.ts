/** Codecs: how a value becomes the bytes of a frame and back. */

export { type Codec, type DecodeOptions, type Integers, RawValue } from './codec.ts'
export { json } from './json.ts'
