/** postern/ethereum: local Ethereum nodes, for viem, ethers and web3.js. */

export type { NodeName } from '../os/node-paths.ts'
export type { Gap } from '../rpc/subscription.ts'
export {
  EthereumProvider,
  type EthereumProviderOptions,
  ethereumProvider,
  type ProviderSubscription,
  type RequestArguments,
  type RequestOptions,
  type SubscriptionListener,
} from './ethereum-provider.ts'
export { type FindNodeOptions, findNode } from './known-nodes.ts'
export { mayHaveRun, ProviderRpcError } from './provider-error.ts'
export type { ProviderEvents, ProviderListener, ProviderMessage } from './provider-events.ts'
export { type IpcTransport, type IpcTransportOptions, ipcTransport } from './viem-transport.ts'
