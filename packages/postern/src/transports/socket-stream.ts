/** Streams over `node:net` sockets, whatever they connect: Unix sockets, named pipes, loopback TCP. */

import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { PosternError } from '../core/errors.ts'
import { type Peer, type Stream, type StreamHandlers, unknownPeer } from '../core/stream.ts'
import { fromSocketError } from '../os/socket-error.ts'

/**
 * A `Stream` over a socket that has read nothing yet: `pauseOnConnect` at a server, `pause()` before the connection at
 * a client. The socket must be `allowHalfOpen`: a client such as `nc -N` ends first and then waits for its answer.
 *
 * Small on purpose, as a server has one for each idle connection.
 */
export class SocketStream implements Stream {
  readonly peer: Peer
  readonly #socket: Socket
  /** What errors name. */
  readonly #address: string
  #handlers: StreamHandlers | undefined
  #paused = false
  #closed = false
  #reason: PosternError | undefined

  constructor(socket: Socket, address: string, peer: Peer = unknownPeer) {
    this.#socket = socket
    this.#address = address
    this.peer = peer
    // From the first moment: an error that nobody handles ends the process, at any peer's wish.
    socket.on('error', (error) => {
      this.#reason ??= fromSocketError(error, 'exchange bytes with', address)
    })
    socket.on('close', () => {
      this.#closed = true
      this.#handlers?.close(this.#closeReason())
    })
  }

  start(handlers: StreamHandlers): void {
    this.#handlers = handlers
    if (this.#closed) {
      process.nextTick(() => handlers.close(this.#closeReason()))
      return
    }
    this.#socket.on('data', handlers.data)
    this.#socket.on('drain', handlers.drain)
    this.#socket.on('end', handlers.end)
    if (!this.#paused) this.#socket.resume()
  }

  write(chunk: Uint8Array | string): boolean {
    return this.#socket.writable ? this.#socket.write(chunk) : true
  }

  pause(): void {
    this.#paused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#paused = false
    if (this.#handlers !== undefined) this.#socket.resume()
  }

  end(): void {
    if (this.#socket.writable) this.#socket.end()
  }

  abort(reason?: PosternError): void {
    if (this.#socket.destroyed) return
    this.#reason ??= reason ?? new PosternError('closed', `this side gave up the connection to ${this.#address}`)
    this.#socket.destroy()
  }

  #closeReason(): PosternError | undefined {
    if (this.#reason !== undefined) return this.#reason
    if (this.#socket.readableEnded && this.#socket.writableFinished) return undefined
    return new PosternError('closed', `the connection to ${this.#address} broke off; connect again`)
  }
}

/** How a connection is made. */
export interface SocketStreamOptions {
  /** Where to, as errors name it. */
  readonly address: string
  /** `limits.connectMs`. */
  readonly connectMs: number
  readonly signal?: AbortSignal | undefined
}

/** A socket that is being connected. */
export interface OpeningSocket<Result> {
  readonly socket: Socket
  /** What it says when it is ready for use. */
  readonly ready: 'connect' | 'secureConnect'
  /** What is wanted of it, as its stream, which is made at once. */
  readonly result: Result
}

/** Connects. `deadline_exceeded` after `connectMs`, `cancelled` by the signal; else what the system says. */
export function connectSocketStream(to: NetConnectOpts, options: SocketStreamOptions): Promise<Stream> {
  return openSocket(() => {
    const socket = connect({ ...to, allowHalfOpen: true }).pause()
    return { socket, ready: 'connect', result: new SocketStream(socket, options.address) }
  }, options)
}

/** The result of a socket that `open` begins to connect, once it is ready. Rejects as `connectSocketStream` does. */
export function openSocket<Result>(
  open: () => OpeningSocket<Result>,
  { address, connectMs, signal }: SocketStreamOptions,
): Promise<Result> {
  if (signal?.aborted === true) return Promise.reject(cancelled(address, signal))
  return new Promise((resolve, reject) => {
    const { socket, ready, result } = open()
    const settle = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      socket.off('error', fail)
      socket.off(ready, succeed)
    }
    const succeed = (): void => {
      settle()
      resolve(result)
    }
    const fail = (error: unknown): void => {
      settle()
      reject(fromSocketError(error, 'connect to', address))
      socket.destroy()
    }
    const abort = (): void => fail(cancelled(address, signal))
    const timer = setTimeout(() => fail(tooLate(address, connectMs)), connectMs)
    signal?.addEventListener('abort', abort)
    socket.on(ready, succeed)
    socket.on('error', fail)
  })
}

function tooLate(address: string, connectMs: number): PosternError {
  return new PosternError('deadline_exceeded', `no connection to ${address} within limits.connectMs (${connectMs} ms)`)
}

function cancelled(address: string, signal: AbortSignal | undefined): PosternError {
  return new PosternError('cancelled', `connecting to ${address} was cancelled`, { cause: signal?.reason })
}
