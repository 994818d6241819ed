import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { type SupportedProviders, Web3 } from 'web3'
import { libraryVersion } from './library-version.ts'
import type { NodeAddresses, NodeClient, NodePeer } from './node-peer.ts'

/** What is used of it. */
type IpcProvider = SupportedProviders & { readonly SocketConnection: Socket; disconnect(): void }

/** A dependency of web3, which does not export it. */
const web3 = createRequire(import.meta.url).resolve('web3')
const { IpcProvider } = createRequire(web3)('web3-providers-ipc') as {
  readonly IpcProvider: new (path: string) => IpcProvider
}

export const web3Ipc: NodePeer = {
  name: 'web3, IPC',
  defaults: `${libraryVersion('web3')}, Web3 with the IpcProvider that it comes with and its defaults`,
  library: true,
  slow: true,
  async connect({ ipcPath }: NodeAddresses): Promise<NodeClient> {
    return new Web3IpcClient(new IpcProvider(ipcPath))
  },
}

class Web3IpcClient implements NodeClient {
  readonly #provider: IpcProvider
  readonly #web3: Web3

  constructor(provider: IpcProvider) {
    this.#provider = provider
    this.#web3 = new Web3(provider)
  }

  call(method: string, params: readonly unknown[]): Promise<unknown> {
    return this.#web3.requestManager.send({ method, params })
  }

  async close(): Promise<void> {
    this.#provider.disconnect()
    // It takes all listeners off the socket first.
    await once(this.#provider.SocketConnection, 'close')
  }
}
