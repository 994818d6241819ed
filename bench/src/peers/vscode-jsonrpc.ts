/** vscode-jsonrpc, what language servers speak, over a Unix socket that both sides bring. */

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import {
  createMessageConnection,
  type MessageConnection,
  SocketMessageReader,
  SocketMessageWriter,
} from 'vscode-jsonrpc/node'
import { libraryVersion } from '../node-peers/library-version.ts'
import type { Stop } from '../roles/role.ts'
import { listenPlainly } from './listen-plainly.ts'
import { handlers, type Method, type Params, type Peer, type PeerClient } from './peer.ts'

export const vscodeJsonrpc: Peer = {
  name: 'vscode-jsonrpc',
  defaults:
    `${libraryVersion('vscode-jsonrpc')}, createMessageConnection on SocketMessageReader and SocketMessageWriter with ` +
    'their defaults (Content-Length headers, no deadlines, no limit of size), node:net for the socket',
  library: true,
  serve: (path: string): Promise<Stop> =>
    listenPlainly(path, (socket) => {
      const connection = converse(socket)
      for (const [method, handler] of Object.entries(handlers)) connection.onRequest(method, handler)
      connection.listen()
    }),
  async connect(path: string): Promise<PeerClient> {
    const socket = connect(path)
    await once(socket, 'connect')
    const connection = converse(socket)
    connection.listen()
    return new VscodeClient(connection)
  },
}

function converse(socket: Socket): MessageConnection {
  return createMessageConnection(new SocketMessageReader(socket), new SocketMessageWriter(socket))
}

class VscodeClient implements PeerClient {
  readonly #connection: MessageConnection

  constructor(connection: MessageConnection) {
    this.#connection = connection
  }

  call(method: Method, params: Params): Promise<unknown> {
    return this.#connection.sendRequest(method, params)
  }

  close(): Promise<void> {
    this.#connection.dispose()
    return Promise.resolve()
  }
}
