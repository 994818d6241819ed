/** A stream over a socket that cannot be closed one way only, as Windows' named pipes cannot. */

import type { Socket } from 'node:net'
import type { PosternError } from '../core/errors.ts'
import type { Peer, Stream, StreamHandlers } from '../core/stream.ts'
import { SocketStream } from './socket-stream.ts'

/** How long what the other side still sends is read after this one has ended; libuv gives its pipes as much. */
const lingerMs = 50

/**
 * A `Stream` on which nothing half-closes, so that `end` is less than elsewhere: all that was written leaves, what comes
 * within a moment is still delivered, and then the connection ends both ways, without a reason. Who ends must need no more
 * of the other side; a conversation ends only when nothing is under way. When the other side ends, nothing that is written
 * from then on can reach it.
 */
export class NamedPipeStream implements Stream {
  readonly #socket: Socket
  readonly #stream: SocketStream
  readonly #left = (): void => this.#closeIfFlushed()
  #ended = false
  #otherEnded = false
  /** This side has closed the connection, with nothing left to send. */
  #inOrder = false
  #timer: NodeJS.Timeout | undefined

  constructor(socket: Socket, address: string) {
    this.#socket = socket
    this.#stream = new SocketStream(socket, address)
  }

  get peer(): Peer {
    return this.#stream.peer
  }

  start(handlers: StreamHandlers): void {
    this.#stream.start({
      data: handlers.data,
      drain: handlers.drain,
      end: () => {
        this.#otherEnded = true
        handlers.end()
        this.#closeIfFlushed()
      },
      close: (reason) => {
        clearTimeout(this.#timer)
        handlers.close(this.#inOrder ? undefined : reason)
      },
    })
  }

  write(chunk: Uint8Array | string): boolean {
    return this.#ended || !this.#socket.writable ? true : this.#socket.write(chunk, this.#left)
  }

  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    this.#stream.resume()
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#closeIfFlushed()
  }

  abort(reason?: PosternError): void {
    this.#stream.abort(reason)
  }

  #closeIfFlushed(): void {
    const { destroyed, errored, writableLength } = this.#socket
    if (!this.#ended || destroyed || errored !== null || writableLength > 0) return
    if (this.#otherEnded) this.#close()
    else this.#timer ??= setTimeout(() => this.#close(), lingerMs)
  }

  #close(): void {
    this.#inOrder = true
    this.#socket.destroy()
  }
}
