/**
 * Shared memory: `shm:/path`. The path is that of a Unix socket, which is made, taken and checked as any other; over it
 * the server sends its client the memory, and both notice when the other dies. The bytes go through two rings in the
 * memory, and wake-ups through pipes, only when the other side sleeps. When both have gone the kernel takes everything
 * back: nothing has a name but the socket.
 *
 * Source of what may be relied on: `packages/native/src/ring.h` and `records.h`.
 */

import { createServer, type Socket } from 'node:net'
import type { Listener } from '../core/channel.ts'
import { isPosternError, PosternError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'
import type { Peer, Stream } from '../core/stream.ts'
import { loadNative, type NativeAddon } from '../os/native.ts'
import { readPeerIfTold } from '../os/peer-identity.ts'
import {
  linkOptions,
  type SharedMemoryOptions,
  type SharedMemoryParts,
  SharedMemoryStream,
} from './shared-memory-stream.ts'
import type { SocketKind } from './socket-server.ts'
import {
  type ConnectUnixSocketOptions,
  connectUnixSocketAs,
  type ListenUnixSocketOptions,
  listenUnixSocket,
} from './unix-socket.ts'

type BlobLimits = SharedMemoryOptions['limits']

/** How a client connects. */
export interface ConnectSharedMemoryOptions extends ConnectUnixSocketOptions, SharedMemoryOptions {
  readonly limits: Pick<Limits, 'connectMs'> & BlobLimits
}

/** How a server listens. */
export interface ListenSharedMemoryOptions extends Omit<ListenUnixSocketOptions, 'kind'>, SharedMemoryOptions {
  readonly limits: Pick<Limits, 'maxConnections'> & BlobLimits
}

/**
 * Connects to the server at `path`. Rejects as `connectUnixSocket` does; `missing_dependency` without `@postern/native`;
 * `deadline_exceeded` when no memory comes, as from a server of plain Unix sockets.
 */
export async function connectSharedMemory(path: string, options: ConnectSharedMemoryOptions): Promise<Stream> {
  const native = await loadNative(`shm:${path}`)
  const deadline = performance.now() + options.limits.connectMs
  const connected = await connectUnixSocketAs(path, options, (socket, _, peer) => ({ socket, peer }))
  return await memoryFrom(native, { ...connected, path, deadline, options })
}

interface Awaited {
  readonly socket: Socket
  readonly peer: Peer
  readonly path: string
  /** When there must be memory, by `performance.now()`. */
  readonly deadline: number
  readonly options: ConnectSharedMemoryOptions
}

/** Waits for the server's memory. */
function memoryFrom(native: NativeAddon, { socket, peer, path, deadline, options }: Awaited): Promise<Stream> {
  const { limits, signal } = options
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
    const stream = makeStream(native, socket, {
      address: `shm:${path}`,
      peer,
      link: linkOptions('client', options),
      onReady: () => {
        settle()
        resolve(stream)
      },
      onRefused: (reason) => {
        settle()
        reject(reason)
      },
    })
    const abort = (): void =>
      stream.abort(new PosternError('cancelled', `connecting to shm:${path} was cancelled`, { cause: signal?.reason }))
    const leftMs = Math.max(1, deadline - performance.now())
    const timer = setTimeout(() => stream.abort(noMemory(path, limits.connectMs)), leftMs)
    if (signal?.aborted === true) abort()
    else signal?.addEventListener('abort', abort)
  })
}

/** Without memory the socket is of no use to anybody. */
function makeStream(native: NativeAddon, socket: Socket, parts: SharedMemoryParts): SharedMemoryStream {
  try {
    return new SharedMemoryStream(native, socket, parts)
  } catch (error) {
    socket.destroy()
    throw error
  }
}

function noMemory(path: string, connectMs: number): PosternError {
  return new PosternError(
    'deadline_exceeded',
    `no memory came from shm:${path} within limits.connectMs (${connectMs} ms); is its server one of unix: and not of shm:?`,
  )
}

/** Takes the name and listens, as `listenUnixSocket` does; `missing_dependency` without `@postern/native`. */
export async function listenSharedMemory(path: string, options: ListenSharedMemoryOptions): Promise<Listener> {
  const kind = sharedMemory(await loadNative(`shm:${path}`), options)
  const listener = await listenUnixSocket(path, { ...options, kind })
  return {
    address: listener.address.replace(/^unix:/, 'shm:'),
    close: () => listener.close(),
    closeSync: () => listener.closeSync(),
  }
}

/** Sockets that stand for memory. */
function sharedMemory(native: NativeAddon, options: ListenSharedMemoryOptions): SocketKind {
  const link = linkOptions('server', options)
  return {
    makeServer: (common) => createServer(common),
    // The socket, a copy of it, and an end of each pipe.
    descriptors: 4,
    welcome:
      (path, { onStream, onError }) =>
      (socket) => {
        try {
          onStream(
            new SharedMemoryStream(native, socket, {
              address: `shm:${path}`,
              peer: readPeerIfTold(socket, native),
              link,
            }),
          )
        } catch (error) {
          socket.destroy()
          if (!isPosternError(error)) throw error
          onError?.(error)
        }
      },
  }
}
