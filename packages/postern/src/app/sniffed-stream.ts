/** A stream whose first bytes are looked at before anybody has it, and which is then again as it was. */

import type { Blobs } from '../core/blobs.ts'
import type { PosternError } from '../core/errors.ts'
import type { Peer, Stream, StreamHandlers } from '../core/stream.ts'

/** Who looks. */
export interface FirstBytesHandlers {
  /** All that has come so far. True: that was enough. */
  readonly first: (bytes: Uint8Array) => boolean
  /** These came and were not enough, and nothing more within the time. */
  readonly tooLate: (bytes: Uint8Array) => void
  /** It ended before there were enough. */
  readonly gone: () => void
}

export class SniffedStream implements Stream {
  readonly #stream: Stream
  readonly #handshakeMs: number
  #looking: FirstBytesHandlers | undefined
  #timer: NodeJS.Timeout | undefined
  /** What has come and was not handed on. */
  #first: Uint8Array | undefined
  #handlers: StreamHandlers | undefined
  #ended = false
  #closed: { readonly reason: PosternError | undefined } | undefined

  /** The time begins with the first byte: a stream that says nothing costs nothing. */
  constructor(stream: Stream, handshakeMs: number, looking: FirstBytesHandlers) {
    this.#stream = stream
    this.#handshakeMs = handshakeMs
    this.#looking = looking
    stream.start({
      data: (chunk) => {
        if (this.#handlers === undefined) this.#look(chunk)
        else this.#handlers.data(chunk)
      },
      drain: () => this.#handlers?.drain(),
      end: () => this.#end(),
      close: (reason) => this.#close(reason),
    })
  }

  get peer(): Peer {
    return this.#stream.peer
  }

  get blobs(): Blobs | undefined {
    return this.#stream.blobs
  }

  /** Whether it closed before anybody had it. */
  get over(): boolean {
    return this.#closed !== undefined
  }

  start(handlers: StreamHandlers): void {
    this.#handlers = handlers
    const first = this.#first
    this.#first = undefined
    // A callback must not run inside start; the stream waits until what came before has been handed on.
    this.#stream.pause()
    process.nextTick(() => {
      if (first !== undefined) handlers.data(first)
      if (this.#ended) handlers.end()
      if (this.#closed === undefined) this.#stream.resume()
      else handlers.close(this.#closed.reason)
    })
  }

  write(chunk: Uint8Array | string): boolean {
    return this.#stream.write(chunk)
  }

  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    this.#stream.resume()
  }

  end(): void {
    this.#stream.end()
  }

  abort(reason?: PosternError): void {
    this.#stream.abort(reason)
  }

  #look(chunk: Uint8Array): void {
    const first = this.#first === undefined ? chunk : joined(this.#first, chunk)
    this.#first = first
    const looking = this.#looking
    if (looking === undefined) return
    if (!looking.first(first)) {
      this.#timer ??= setTimeout(() => this.#stopLooking()?.tooLate(this.#first ?? first), this.#handshakeMs)
      return
    }
    this.#stopLooking()
    // What decides may still be on its way; until somebody has the stream, nothing more is taken from it.
    if (this.#handlers === undefined) this.#stream.pause()
  }

  #end(): void {
    this.#ended = true
    if (this.#handlers !== undefined) this.#handlers.end()
    else if (this.#looking !== undefined) this.#stream.end()
  }

  #close(reason: PosternError | undefined): void {
    this.#closed = { reason }
    if (this.#handlers === undefined) this.#stopLooking()?.gone()
    else this.#handlers.close(reason)
  }

  /** Who was looking, if anybody still was. */
  #stopLooking(): FirstBytesHandlers | undefined {
    const looking = this.#looking
    this.#looking = undefined
    clearTimeout(this.#timer)
    this.#timer = undefined
    return looking
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}
