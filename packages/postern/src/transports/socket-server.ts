/** Taking connections from a listening socket, whoever made it. */

import { type AddressInfo, createServer, type ListenOptions, type Server, type ServerOpts, type Socket } from 'node:net'
import type { PosternError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'
import type { Stream } from '../core/stream.ts'
import { descriptorLimit, reservedDescriptors } from '../os/descriptor-limit.ts'
import { fromSocketError } from '../os/socket-error.ts'
import { SocketStream } from './socket-stream.ts'

/** What becomes of those who connect. */
export interface SocketServerOptions {
  readonly limits: Pick<Limits, 'maxConnections'>
  /** A client has connected. The stream delivers nothing before it is started. */
  readonly onStream: (stream: Stream) => void
  /** A client was turned away because `limits.maxConnections` are open. */
  readonly onDrop?: () => void
  /** The system refused to hand over a connection; the next one may come through. */
  readonly onError?: (error: PosternError) => void
}

/** What a server listens with, and what becomes of those who connect. */
export interface SocketKind {
  readonly makeServer: (options: ServerOpts) => Server
  readonly welcome: Welcome
  /** How many descriptors each connection takes, where it is not one. */
  readonly descriptors?: number
}

/** Called once, when the door opens: gives what is done with each socket. `address` is what errors name. */
export type Welcome = (address: string, options: SocketServerOptions) => (socket: Socket) => void

/** Sockets as they are. */
export const plainSockets: SocketKind = {
  makeServer: (options) => createServer(options),
  welcome:
    (address, { onStream }) =>
    (socket) =>
      onStream(new SocketStream(socket, address)),
}

/** A server whose door is still closed: who connects is held back until it opens. */
export class SocketServer {
  readonly #server: Server
  readonly #options: SocketServerOptions
  readonly #kind: SocketKind
  readonly #early: Socket[] = []
  readonly #hold = (socket: Socket): void => {
    socket.on('error', ignore)
    this.#early.push(socket)
  }

  constructor(options: SocketServerOptions, kind: SocketKind = plainSockets) {
    this.#options = options
    this.#kind = kind
    this.#server = kind.makeServer({ allowHalfOpen: true, pauseOnConnect: true })
    this.#server.maxConnections = connectionCap(options.limits.maxConnections, kind.descriptors ?? 1)
    this.#server.on('error', ignore)
    this.#server.on('connection', this.#hold)
    this.#server.on('drop', () => options.onDrop?.())
  }

  /** Rejects with what Node says. */
  listen(at: ListenOptions | { readonly fd: number }): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      // In a cluster the primary would else bind in our place.
      this.#server.listen({ ...at, exclusive: true }, resolve)
    })
  }

  /** The port that it has, where it listens at one. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Opens the door; `address`, or a path, is what errors name. */
  open(address: string): void {
    const { onError } = this.#options
    this.#server.off('connection', this.#hold)
    this.#server.on('error', (error) => onError?.(fromSocketError(error, 'accept connections at', address)))
    const welcome = this.#kind.welcome(address, this.#options)
    this.#server.on('connection', welcome)
    for (const socket of this.#early.splice(0)) welcome(socket.off('error', ignore))
  }

  /** Listens no more and turns away who was held back. Connections that were handed over go on. */
  close(): void {
    this.#server.close()
    for (const socket of this.#early.splice(0)) socket.destroy()
  }
}

function ignore(): void {}

/** libuv accepts and closes at once what it has no descriptor for, and says nothing; a cap below the limit is reported. */
function connectionCap(maxConnections: number, each: number): number {
  const descriptors = descriptorLimit()
  if (descriptors === undefined) return maxConnections
  return Math.max(1, Math.min(maxConnections, Math.floor((descriptors - reservedDescriptors) / each)))
}
