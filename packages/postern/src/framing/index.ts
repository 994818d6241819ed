/** Framings: how a stream of bytes is cut into frames. */

export { contentLength } from './content-length.ts'
export type { FrameDecoder, FrameLimits, FrameSink, Framing, NestingLimits } from './framing.ts'
export { jsonStream } from './json-stream.ts'
export { lengthPrefix } from './length-prefix.ts'
export { msgpackStream } from './msgpack-stream.ts'
export { newline } from './newline.ts'
