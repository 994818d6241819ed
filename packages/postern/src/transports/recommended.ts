/**
 * `local:name`: the best mechanism of the platform. A Unix socket in the runtime directory; on Windows, which has no
 * such directory, a named pipe.
 */

import type { Listener } from '../core/channel.ts'
import { PosternError } from '../core/errors.ts'
import type { Stream } from '../core/stream.ts'
import { hasNamedPipes } from '../os/pipe-path.ts'
import { findLocalSocket, makeRuntimeDirectory } from '../os/runtime-dir.ts'
import {
  type ConnectUnixSocketOptions,
  connectUnixSocket,
  type ListenUnixSocketOptions,
  listenUnixSocket,
} from './unix-socket.ts'

/** Connects to a name of this user. */
export async function connectLocal(name: string, options: ConnectUnixSocketOptions): Promise<Stream> {
  if (hasNamedPipes()) return await (await import('./named-pipe.ts')).connectPipe(name, options)
  return await connectUnixSocket(await findLocalSocket(name), options)
}

/**
 * Takes a name of this user; the runtime directory is made where it is missing. `bad_address` with a group: nobody else
 * may enter that directory.
 */
export async function listenLocal(name: string, options: ListenUnixSocketOptions): Promise<Listener> {
  if (options.gid !== undefined) {
    throw new PosternError(
      'bad_address',
      `local:${name} lies in a directory that only this user may enter, so that no group can reach it; give a path outside it, such as unix:/run/${name}/${name}.sock`,
    )
  }
  if (hasNamedPipes()) return await (await import('./named-pipe.ts')).listenPipe(name, options)
  return await listenUnixSocket(`${await makeRuntimeDirectory()}/${name}`, options)
}
