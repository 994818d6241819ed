/** A line without messages: the bytes of a stream. */

import type { Stream } from '../../../packages/postern/src/core/stream.ts'
import type { Line, LineHandlers } from './mechanism.ts'

export function streamLine(stream: Stream): Line {
  return new StreamLine(stream)
}

class StreamLine implements Line {
  full = false
  readonly #stream: Stream

  constructor(stream: Stream) {
    this.#stream = stream
  }

  start({ bytes, room }: LineHandlers): void {
    const drain = (): void => {
      this.full = false
      room()
    }
    const close = (): void => undefined
    this.#stream.start({ data: bytes, drain, end: () => this.#stream.end(), close })
  }

  send(message: Uint8Array): void {
    if (!this.#stream.write(message)) this.full = true
  }

  close(): void {
    this.#stream.abort()
  }
}
