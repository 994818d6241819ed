/** Unix domain sockets: `unix:/path`, and what `local:name` means wherever there are any. */

import { stat } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import type { Listener } from '../core/channel.ts'
import { PosternError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'
import type { Stream } from '../core/stream.ts'
import { descriptorLimit } from '../os/descriptor-limit.ts'
import { ownUid } from '../os/identity.ts'
import { watchSocketName } from '../os/name-watch.ts'
import { fromNodeError } from '../os/node-error.ts'
import { kindOf } from '../os/socket-file.ts'
import { acquireSocketName, type SocketName } from '../os/socket-name.ts'
import { resolveSocketPath } from '../os/socket-path.ts'
import { connectSocketStream, SocketStream } from './socket-stream.ts'

/** Descriptors that connections leave for files, timers and the rest of the process. */
const reservedDescriptors = 64

/** How a client connects. */
export interface ConnectUnixSocketOptions {
  readonly limits: Pick<Limits, 'connectMs'>
  readonly signal?: AbortSignal
  /** Users, besides this one and root, whose server is believed. */
  readonly trust?: readonly number[]
}

/** How a server listens. */
export interface ListenUnixSocketOptions {
  readonly limits: Pick<Limits, 'maxConnections'>
  /** A client has connected. The stream delivers nothing before it is started. */
  readonly onStream: (stream: Stream) => void
  /** A client was turned away because `limits.maxConnections` are open. */
  readonly onDrop?: () => void
  /** The system refused to hand over a connection; the next one may come through. */
  readonly onError?: (error: PosternError) => void
  /** The name was removed or given to something else; who is connected stays so. */
  readonly onLost?: (error: PosternError) => void
  /** The socket's mode; 0600 when absent. Wider only together with a directory that is as narrow as is meant. */
  readonly mode?: number
  /** The socket's group. */
  readonly gid?: number
}

/**
 * Connects to the socket at `path`, once the owner of its file is known to be this user, root or one that is trusted:
 * else `peer_rejected`. `no_listener` says whether the socket is stale; `busy` that the server accepts nothing now.
 */
export async function connectUnixSocket(path: string, options: ConnectUnixSocketOptions): Promise<Stream> {
  const absolute = resolveSocketPath(path)
  await checkOwner(absolute, options.trust ?? [])
  const { limits, signal } = options
  return await connectSocketStream({ path: absolute }, { address: absolute, connectMs: limits.connectMs, signal })
}

/** Takes the name `path`, safely, and listens at it. Rejects as `acquireSocketName` does. */
export async function listenUnixSocket(path: string, options: ListenUnixSocketOptions): Promise<Listener> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true })
  server.on('error', ignore)
  server.maxConnections = connectionCap(options.limits.maxConnections)
  const accept = acceptLater(server, options)
  try {
    const name = await acquireSocketName(path, (temporaryPath) => listen(server, temporaryPath), {
      access: { mode: options.mode ?? 0o600, ...(options.gid === undefined ? {} : { gid: options.gid }) },
    })
    accept(name.path)
    server.on('error', (error) => options.onError?.(fromNodeError(error, 'accept connections at', name.path)))
    return new UnixSocketListener(server, name, options.onLost)
  } catch (error) {
    accept(undefined)
    server.close()
    throw error
  }
}

class UnixSocketListener implements Listener {
  readonly address: string
  readonly #server: Server
  readonly #name: SocketName
  readonly #stopWatching: () => void
  #closing: Promise<void> | undefined

  constructor(server: Server, name: SocketName, onLost: ((error: PosternError) => void) | undefined) {
    this.address = `unix:${name.path}`
    this.#server = server
    this.#name = name
    this.#stopWatching = onLost === undefined ? () => undefined : watchSocketName(name, () => onLost(lost(name.path)))
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  closeSync(): void {
    if (this.#closing !== undefined) return
    this.#closing = Promise.resolve()
    this.#stopWatching()
    try {
      this.#name.releaseSync()
    } finally {
      this.#server.close()
    }
  }

  /** The name first: nobody takes it from a socket that listens, so what is removed is ours. */
  async #close(): Promise<void> {
    this.#stopWatching()
    try {
      await this.#name.release()
    } finally {
      this.#server.close()
    }
  }
}

/**
 * Holds connections back until the name is ours: before, only other servers can have connected, to see whether we live.
 * The function it returns opens the door, or, without a path, turns all away.
 */
function acceptLater(server: Server, options: ListenUnixSocketOptions): (path: string | undefined) => void {
  const early: Socket[] = []
  const hold = (socket: Socket): void => {
    socket.on('error', ignore)
    early.push(socket)
  }
  server.on('connection', hold)
  server.on('drop', () => options.onDrop?.())
  return (path) => {
    server.off('connection', hold)
    if (path === undefined) {
      for (const socket of early) socket.destroy()
      return
    }
    const take = (socket: Socket): void => options.onStream(new SocketStream(socket, path))
    server.on('connection', take)
    for (const socket of early) take(socket.off('error', ignore))
  }
}

function ignore(): void {}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    // In a cluster the primary would else bind in our place.
    server.listen({ path, exclusive: true }, resolve)
  })
}

/** libuv accepts and closes at once what it has no descriptor for, and says nothing; a cap below the limit is reported. */
function connectionCap(maxConnections: number): number {
  const descriptors = descriptorLimit()
  if (descriptors === undefined) return maxConnections
  return Math.max(1, Math.min(maxConnections, descriptors - reservedDescriptors))
}

async function checkOwner(path: string, trust: readonly number[]): Promise<void> {
  const status = await stat(path, { bigint: true }).catch((error: unknown) => {
    throw fromNodeError(error, 'connect to', path)
  })
  if (!status.isSocket()) {
    throw new PosternError('bad_address', `${path} is ${kindOf(status)}, not a socket; correct the path`)
  }
  const uid = Number(status.uid)
  if (uid === ownUid() || uid === 0 || trust.includes(uid)) return
  throw new PosternError(
    'peer_rejected',
    `the socket at ${path} belongs to uid ${uid}, neither to uid ${ownUid()} of this process nor to root; to believe its server, give the option trust: [${uid}]`,
  )
}

function lost(path: string): PosternError {
  return new PosternError(
    'closed',
    `the name ${path} is no longer of this server: it was removed or replaced; listen again to take it back`,
  )
}
