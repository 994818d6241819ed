/**
 * Named pipes of Windows: `pipe:name`, and what `local:name` means there. In the tests Unix sockets stand in, which are
 * given paths like any other and are never closed one way only.
 *
 * What is known of who can do what, from libuv's `src/win/pipe.c` and Microsoft's "Named Pipe Security and Access Rights":
 * - libuv makes the first instance with `FILE_FLAG_FIRST_PIPE_INSTANCE`, so that no server joins a pipe that somebody else
 *   has made under its name: it fails with `address_in_use`.
 * - A client cannot tell who made the pipe: another user of the machine who takes the name first is believed, and shown
 *   the token, where there is one.
 * - The pipe has the default rights: its maker, administrators and the system may read and write, everybody else may only
 *   read. So others can hold a connection, but never say a word on it. `readableAll` and `writableAll` are never set.
 * - libuv does not refuse clients from other machines (`PIPE_REJECT_REMOTE_CLIENTS`): the same user reaches the pipe over
 *   the network where Windows' file sharing is open.
 */

import { connect, createServer } from 'node:net'
import type { Listener } from '../core/channel.ts'
import type { Limits } from '../core/limits.ts'
import type { Stream } from '../core/stream.ts'
import { pipePath } from '../os/pipe-path.ts'
import { fromSocketError } from '../os/socket-error.ts'
import { NamedPipeStream } from './named-pipe-stream.ts'
import { type SocketKind, SocketServer, type SocketServerOptions } from './socket-server.ts'
import { openSocket } from './socket-stream.ts'

/** How a client connects. */
export interface ConnectPipeOptions {
  readonly limits: Pick<Limits, 'connectMs'>
  readonly signal?: AbortSignal
  /** Where the pipe is; this user's of that name when absent. */
  readonly path?: string
}

/** How a server listens. */
export interface ListenPipeOptions extends SocketServerOptions {
  /** Where the pipe is to be; this user's of that name when absent. */
  readonly path?: string
}

const pipes: SocketKind = {
  makeServer: (options) => createServer(options),
  welcome:
    (address, { onStream }) =>
    (socket) =>
      onStream(new NamedPipeStream(socket, address)),
}

/** Connects to a pipe. `no_listener` when there is none, `not_supported` where there are no named pipes. */
export async function connectPipe(name: string, options: ConnectPipeOptions): Promise<Stream> {
  const { limits, signal, path = pipePath(name) } = options
  const address = `pipe:${name}`
  return await openSocket(
    () => {
      const socket = connect({ path, allowHalfOpen: true }).pause()
      return { socket, ready: 'connect', result: new NamedPipeStream(socket, address) }
    },
    { address, connectMs: limits.connectMs, signal },
  )
}

/** Makes a pipe and listens at it. `address_in_use` when somebody has the name, `not_supported` as above. */
export async function listenPipe(name: string, options: ListenPipeOptions): Promise<Listener> {
  const path = options.path ?? pipePath(name)
  const address = `pipe:${name}`
  const server = new SocketServer(options, pipes)
  try {
    await server.listen({ path })
  } catch (error) {
    server.close()
    throw fromSocketError(error, 'listen at', address)
  }
  server.open(address)
  const closeSync = (): void => server.close()
  return { address, closeSync, close: async () => closeSync() }
}
