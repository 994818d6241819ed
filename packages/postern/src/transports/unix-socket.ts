/** Unix domain sockets: `unix:/path`, and what `local:name` means wherever there are any. */

import { stat } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import type { Listener } from '../core/channel.ts'
import { PosternError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'
import type { Peer, Stream } from '../core/stream.ts'
import { ownUid } from '../os/identity.ts'
import { watchSocketName } from '../os/name-watch.ts'
import { findNative } from '../os/native.ts'
import { fromNodeError } from '../os/node-error.ts'
import { type PeerReader, readPeerIfTold, readServer } from '../os/peer-identity.ts'
import { kindOf } from '../os/socket-file.ts'
import { acquireSocketName, type SocketName } from '../os/socket-name.ts'
import { resolveSocketPath } from '../os/socket-path.ts'
import { plainSockets, type SocketKind, SocketServer, type SocketServerOptions } from './socket-server.ts'
import { type OpeningSocket, openSocket, SocketStream } from './socket-stream.ts'

/** How a client connects. */
export interface ConnectUnixSocketOptions {
  readonly limits: Pick<Limits, 'connectMs'>
  readonly signal?: AbortSignal
  /** Users, besides this one and root, whose server is believed. */
  readonly trust?: readonly number[]
}

/** How a server listens. */
export interface ListenUnixSocketOptions extends SocketServerOptions {
  /** The name was removed or given to something else; who is connected stays so. */
  readonly onLost?: (error: PosternError) => void
  /** The socket's mode; 0600 when absent. Wider only together with a directory that is as narrow as is meant. */
  readonly mode?: number
  /** The socket's group. */
  readonly gid?: number
  /** What becomes of the sockets; streams of their own bytes when absent. */
  readonly kind?: SocketKind
}

/**
 * Connects to the socket at `path`, once the owner of its file is known to be this user, root or one that is trusted:
 * else `peer_rejected`. With the native addon the same is asked of the server itself. `no_listener` says whether the
 * socket is stale; `busy` that the server accepts nothing now.
 */
export function connectUnixSocket(path: string, options: ConnectUnixSocketOptions): Promise<Stream> {
  return connectUnixSocketAs(path, options, (socket, address, peer) => new SocketStream(socket, address, peer))
}

/** The same for whoever does something else with the socket, which is paused, connected, and `use`'s unless that throws. */
export async function connectUnixSocketAs<Result>(
  path: string,
  { limits, signal, trust = [] }: ConnectUnixSocketOptions,
  use: (socket: Socket, address: string, peer: Peer) => Result,
): Promise<Result> {
  const address = resolveSocketPath(path)
  await checkOwner(address, trust)
  const addon = await findNative()
  const open = (): OpeningSocket<Socket> => {
    const socket = connect({ path: address, allowHalfOpen: true }).pause()
    return { socket, ready: 'connect', result: socket }
  }
  const connected = await openSocket(open, { address, connectMs: limits.connectMs, signal })
  try {
    return use(connected, address, readServer(connected, addon, { path: address, trust }))
  } catch (error) {
    connected.destroy()
    throw error
  }
}

/** Sockets of whose other end the kernel tells, where the addon can ask. */
export function unixSockets(addon: PeerReader | undefined): SocketKind {
  return {
    makeServer: plainSockets.makeServer,
    welcome:
      (address, { onStream }) =>
      (socket) =>
        onStream(new SocketStream(socket, address, readPeerIfTold(socket, addon))),
  }
}

/**
 * Takes the name `path`, safely, and listens at it. Rejects as `acquireSocketName` does. Until the name is ours only
 * other servers can have connected, to see whether we live.
 */
export async function listenUnixSocket(path: string, options: ListenUnixSocketOptions): Promise<Listener> {
  const server = new SocketServer(options, options.kind ?? unixSockets(await findNative()))
  try {
    const name = await acquireSocketName(path, (temporaryPath) => server.listen({ path: temporaryPath }), {
      access: { mode: options.mode ?? 0o600, ...(options.gid === undefined ? {} : { gid: options.gid }) },
    })
    server.open(name.path)
    return new UnixSocketListener(server, name, options.onLost)
  } catch (error) {
    server.close()
    throw error
  }
}

class UnixSocketListener implements Listener {
  readonly address: string
  readonly #server: SocketServer
  readonly #name: SocketName
  readonly #stopWatching: () => void
  #closing: Promise<void> | undefined

  constructor(server: SocketServer, name: SocketName, onLost: ((error: PosternError) => void) | undefined) {
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
