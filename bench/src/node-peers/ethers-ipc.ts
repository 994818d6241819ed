import { IpcSocketProvider } from 'ethers'
import { EthersClient } from './ethers-http.ts'
import { libraryVersion } from './library-version.ts'
import type { NodeAddresses, NodeClient, NodePeer } from './node-peer.ts'

export const ethersIpc: NodePeer = {
  name: 'ethers, IPC',
  defaults: `${libraryVersion('ethers')}, IpcSocketProvider with its defaults (asks for the chain's id once)`,
  library: true,
  slow: true,
  async connect({ ipcPath }: NodeAddresses): Promise<NodeClient> {
    return new EthersClient(new IpcSocketProvider(ipcPath))
  },
}
