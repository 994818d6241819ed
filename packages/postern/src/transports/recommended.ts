/**
 * `local:name`: the best mechanism of the platform. A Unix socket in the runtime directory; on Windows, which has no
 * such directory, a named pipe once that is built.
 */

import type { Listener } from '../core/channel.ts'
import { PosternError } from '../core/errors.ts'
import type { Stream } from '../core/stream.ts'
import { findLocalSocket, makeRuntimeDirectory } from '../os/runtime-dir.ts'
import {
  type ConnectUnixSocketOptions,
  connectUnixSocket,
  type ListenUnixSocketOptions,
  listenUnixSocket,
} from './unix-socket.ts'

/** Connects to a name in the runtime directory of this user. */
export async function connectLocal(name: string, options: ConnectUnixSocketOptions): Promise<Stream> {
  return await connectUnixSocket(await findLocalSocket(name), options)
}

/**
 * Takes a name in the runtime directory of this user, which is made where it is missing. `bad_address` with a group:
 * nobody else may enter that directory.
 */
export async function listenLocal(name: string, options: ListenUnixSocketOptions): Promise<Listener> {
  if (options.gid !== undefined) {
    throw new PosternError(
      'bad_address',
      `local:${name} lies in a directory that only this user may enter, so that no group can reach it; give a path outside it, such as unix:/run/${name}/${name}.sock`,
    )
  }
  return await listenUnixSocket(`${await makeRuntimeDirectory()}/${name}`, options)
}
