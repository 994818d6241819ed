/** Sockets that systemd makes and passes on: `systemd:` and `systemd:name`. */

import type { Listener } from '../core/channel.ts'
import { PosternError } from '../core/errors.ts'
import { takePassedSocket } from '../os/listen-fds.ts'
import { watchSocketName } from '../os/name-watch.ts'
import { findNative } from '../os/native.ts'
import { fromNodeError } from '../os/node-error.ts'
import { lookAt } from '../os/socket-file.ts'
import { SocketServer } from './socket-server.ts'
import { type ListenUnixSocketOptions, unixSockets } from './unix-socket.ts'

/** Rejects: only a server is started with its socket. */
export function connectSystemd(name: string): Promise<never> {
  return Promise.reject(
    new PosternError(
      'bad_address',
      `systemd:${name} is an address to listen at; connect to the path of the socket, unix: and what ListenStream= says`,
    ),
  )
}

/**
 * Listens at the socket that systemd passed under this name, or without a name at the only one. Its file is systemd's:
 * closing leaves it, so that the next connection starts the service anew. Rejects as `takePassedSocket` does, and with
 * `bad_address` for a mode or group, which are the unit's.
 */
export async function listenSystemd(name: string, options: ListenUnixSocketOptions): Promise<Listener> {
  if (options.mode !== undefined || options.gid !== undefined) {
    throw new PosternError(
      'bad_address',
      `the mode and group of systemd:${name} are systemd's; set SocketMode= and SocketGroup= in its .socket unit`,
    )
  }
  const { fd, path } = takePassedSocket(name)
  const server = new SocketServer(options, unixSockets(await findNative()))
  try {
    await server.listen({ fd })
    const stopWatching = await watchName(path, options.onLost)
    server.open(path)
    return passedListener(server, path, stopWatching)
  } catch (error) {
    server.close()
    throw fromNodeError(error, 'listen at', path)
  }
}

function passedListener(server: SocketServer, path: string, stopWatching: () => void): Listener {
  const closeSync = (): void => {
    stopWatching()
    server.close()
  }
  return {
    address: `unix:${path}`,
    closeSync,
    close: async () => closeSync(),
  }
}

/** A service may be kept from seeing the name, as with `RootDirectory=`; then nothing can be said of it. */
async function watchName(path: string, onLost: ((error: PosternError) => void) | undefined): Promise<() => void> {
  const status = onLost === undefined ? undefined : await lookAt(path).catch(() => undefined)
  if (status === undefined) return () => undefined
  return watchSocketName({ realPath: path, inode: status.ino }, () => onLost?.(lost(path)))
}

function lost(path: string): PosternError {
  return new PosternError(
    'closed',
    `the name ${path} no longer leads to the socket that systemd passed: it was removed or replaced; restart its .socket unit`,
  )
}
