import type { PosternError } from '../src/core/errors.ts'
import { type Peer, type Stream, type StreamHandlers, unknownPeer } from '../src/core/stream.ts'

/** A stream without a system below it: the test is the other side, and decides when there is room. */
export class FakeStream implements Stream {
  readonly peer: Peer = unknownPeer
  /** What was written, one item a write. */
  readonly writes: Buffer[] = []
  /** Calls other than writes, in order. */
  readonly calls: string[] = []
  abortReason: PosternError | undefined
  /** Whether the next writes are taken; false asks the writer to wait. */
  takes = true
  #handlers: StreamHandlers | undefined

  /** All that was written, as text. */
  get written(): string {
    return Buffer.concat(this.writes).toString()
  }

  start(handlers: StreamHandlers): void {
    this.calls.push('start')
    this.#handlers = handlers
  }

  write(chunk: Uint8Array | string): boolean {
    this.writes.push(Buffer.from(chunk as string))
    return this.takes
  }

  pause(): void {
    this.calls.push('pause')
  }

  resume(): void {
    this.calls.push('resume')
  }

  end(): void {
    this.calls.push('end')
  }

  abort(reason?: PosternError): void {
    this.calls.push('abort')
    this.abortReason = reason
  }

  /** Bytes arrive. */
  deliver(...chunks: (string | Uint8Array)[]): void {
    for (const chunk of chunks) this.#handlers?.data(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
  }

  /** All that was written has left. */
  drain(takes = true): void {
    this.takes = takes
    this.#handlers?.drain()
  }

  /** The other side has finished writing. */
  deliverEnd(): void {
    this.#handlers?.end()
  }

  /** The stream is over. */
  deliverClose(reason?: PosternError): void {
    this.#handlers?.close(reason)
  }
}

/** The end of this tick: what was put off to it has happened. */
export function endOfTick(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve)
  })
}
