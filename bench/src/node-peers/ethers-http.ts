import { type JsonRpcApiProvider, JsonRpcProvider } from 'ethers'
import { libraryVersion } from './library-version.ts'
import type { NodeAddresses, NodeClient, NodePeer } from './node-peer.ts'

export const ethersHttp: NodePeer = {
  name: 'ethers, HTTP',
  defaults:
    `${libraryVersion('ethers')}, JsonRpcProvider with its defaults (asks for the chain's id once); but no batches, ` +
    'for each of which it waits 10 ms, also when there is but one call',
  library: true,
  slow: true,
  async connect({ httpUrl }: NodeAddresses): Promise<NodeClient> {
    return new EthersClient(new JsonRpcProvider(httpUrl, undefined, { batchMaxCount: 1 }))
  },
}

/** A provider of either kind. */
export class EthersClient implements NodeClient {
  readonly #provider: JsonRpcApiProvider

  constructor(provider: JsonRpcApiProvider) {
    this.#provider = provider
  }

  call(method: string, params: readonly unknown[]): Promise<unknown> {
    return this.#provider.send(method, [...params])
  }

  async close(): Promise<void> {
    this.#provider.destroy()
  }
}
