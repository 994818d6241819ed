/**
 * What a new connection speaks, told from its first byte, once.
 *
 * ```
 * { [ white space   JSON-RPC 2.0 as a stream of JSON values
 * anything else     one line of plain text that says so, and the end
 * ```
 */

import type { Channel } from '../core/channel.ts'
import { PosternError } from '../core/errors.ts'
import { excerpt } from '../core/escape.ts'
import type { Peer, Stream, StreamHandlers } from '../core/stream.ts'
import { type FramedChannelOptions, framedChannel } from '../framing/framed-channel.ts'
import { isWhiteSpace, jsonStream, opensValue } from '../framing/json-stream.ts'

/** Who is told what the first bytes decided. */
export interface SniffHandlers {
  readonly onChannel: (channel: Channel) => void
  /** The peer speaks something else; it has been told and is being dropped. */
  readonly onRefused: (error: PosternError) => void
  /** The stream is over without having said anything. */
  readonly onGone: () => void
}

/** How long a peer that was refused has to read why. */
const refusalMs = 1_000

/** Waits for the first bytes of the stream and makes a channel of it. A stream that ends without a byte is nothing. */
export function sniff(
  stream: Stream,
  options: FramedChannelOptions,
  { onChannel, onRefused, onGone }: SniffHandlers,
): void {
  const sniffed = new SniffedStream(
    stream,
    (first) => {
      const byte = first[0] as number
      if (opensValue(byte) || isWhiteSpace(byte)) onChannel(framedChannel(sniffed, jsonStream, options))
      else onRefused(refuse(sniffed, first))
    },
    onGone,
  )
}

function refuse(stream: Stream, first: Uint8Array): PosternError {
  const error = new PosternError(
    'unsupported_protocol',
    `this address speaks JSON-RPC 2.0, one JSON value after the other; got ${excerpt(first)}`,
  )
  const timer = setTimeout(() => stream.abort(error), refusalMs)
  stream.start({
    data: () => undefined,
    drain: () => undefined,
    end: () => stream.abort(error),
    close: () => clearTimeout(timer),
  })
  stream.write(`${error.message}\n`)
  stream.end()
  return error
}

/** The stream again as it was, once its first chunk has been looked at. */
class SniffedStream implements Stream {
  readonly #stream: Stream
  #first: Uint8Array | undefined
  #handlers: StreamHandlers | undefined

  constructor(stream: Stream, decide: (first: Uint8Array) => void, gone: () => void) {
    this.#stream = stream
    stream.start({
      data: (chunk) => {
        if (this.#handlers !== undefined) this.#handlers.data(chunk)
        else {
          this.#first = chunk
          decide(chunk)
        }
      },
      drain: () => this.#handlers?.drain(),
      end: () => {
        if (this.#handlers === undefined) stream.end()
        else this.#handlers.end()
      },
      close: (reason) => {
        if (this.#handlers === undefined) gone()
        else this.#handlers.close(reason)
      },
    })
  }

  get peer(): Peer {
    return this.#stream.peer
  }

  start(handlers: StreamHandlers): void {
    this.#handlers = handlers
    const first = this.#first
    this.#first = undefined
    if (first === undefined) return
    // A callback must not run inside start; the stream waits until the first chunk has been handed on.
    this.#stream.pause()
    process.nextTick(() => {
      handlers.data(first)
      this.#stream.resume()
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
}
