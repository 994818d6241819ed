/** Framings: how a stream of bytes is cut into frames. */

export type { FrameDecoder, FrameLimits, FrameSink, Framing } from './framing.ts'
export { jsonStream } from './json-stream.ts'
export { newline } from './newline.ts'
