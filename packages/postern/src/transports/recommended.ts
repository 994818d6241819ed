/**
 * `local:name`: the best mechanism of the platform. A Unix socket in the runtime directory; on Windows, which has no
 * such directory, a named pipe once that is built.
 */

import type { Listener } from '../core/channel.ts'
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

/** Takes a name in the runtime directory of this user, which is made where it is missing. */
export async function listenLocal(name: string, options: ListenUnixSocketOptions): Promise<Listener> {
  return await listenUnixSocket(`${await makeRuntimeDirectory()}/${name}`, options)
}
