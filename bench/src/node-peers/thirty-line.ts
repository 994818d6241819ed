import { connectThirtyLine, type ThirtyLineClient } from '../thirty-line-client.ts'
import type { NodeAddresses, NodeClient, NodePeer } from './node-peer.ts'

export const thirtyLine: NodePeer = {
  name: 'thirty-line client, IPC',
  defaults: 'node:net, newline search, isUtf8, JSON.parse, a Map of ids; no limits, deadlines or checks',
  async connect({ ipcPath }: NodeAddresses): Promise<NodeClient> {
    return new ThirtyLineNodeClient(await connectThirtyLine(ipcPath))
  },
}

class ThirtyLineNodeClient implements NodeClient {
  readonly #client: ThirtyLineClient

  constructor(client: ThirtyLineClient) {
    this.#client = client
  }

  call(method: string, params: readonly unknown[]): Promise<unknown> {
    return this.#client.call(method, params)
  }

  async close(): Promise<void> {
    this.#client.close()
  }
}
