import { Web3 } from 'web3'
import { libraryVersion } from './library-version.ts'
import type { NodeAddresses, NodeClient, NodePeer } from './node-peer.ts'

export const web3Http: NodePeer = {
  name: 'web3, HTTP',
  defaults: `${libraryVersion('web3')}, Web3 with a URL and its defaults (one POST a call)`,
  library: true,
  async connect({ httpUrl }: NodeAddresses): Promise<NodeClient> {
    return new Web3HttpClient(new Web3(httpUrl))
  },
}

class Web3HttpClient implements NodeClient {
  readonly #web3: Web3

  constructor(web3: Web3) {
    this.#web3 = web3
  }

  call(method: string, params: readonly unknown[]): Promise<unknown> {
    return this.#web3.requestManager.send({ method, params })
  }

  /** Idle connections of Node's own agent keep no process alive. */
  async close(): Promise<void> {}
}
