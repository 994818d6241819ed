import { type Connection, connect } from 'postern'
import type { NodeAddresses, NodeClient, NodePeer } from './node-peer.ts'

export const postern: NodePeer = {
  name: 'postern, IPC',
  defaults: 'connect over unix: with its defaults (all limits, deadlines and checks on), no contract',
  async connect({ ipcPath }: NodeAddresses): Promise<NodeClient> {
    return new PosternNodeClient(await connect(`unix:${ipcPath}`))
  },
}

class PosternNodeClient implements NodeClient {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  call(method: string, params: readonly unknown[]): Promise<unknown> {
    return this.#connection.call(method, params)
  }

  close(): Promise<void> {
    return this.#connection.close()
  }
}
