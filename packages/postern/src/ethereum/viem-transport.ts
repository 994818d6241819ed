/**
 * A node as a transport of viem, of the type `ipc`: viem then watches blocks, logs and transactions by subscriptions
 * and polls nothing.
 */

import type * as Viem from 'viem'
import type { EIP1193RequestFn, Hash, Transport, TransportConfig } from 'viem'
import { checkOptions } from '../service/options.ts'
import { PosternError } from '../core/errors.ts'
import { nodeErrorCode } from '../os/node-error.ts'
import {
  type EthereumProvider,
  type EthereumProviderOptions,
  ethereumProvider,
  providerOptionNames,
  type RequestArguments,
} from './ethereum-provider.ts'
import type { ProviderRpcError } from './provider-error.ts'

/** What a transport is called, and which methods it takes: as with viem's own transports. */
export interface IpcTransportConfig extends Partial<Pick<TransportConfig, 'key' | 'name' | 'methods'>> {}

/** How a transport connects and calls. */
export interface IpcTransportOptions extends EthereumProviderOptions, IpcTransportConfig {}

/** What viem subscribes with. */
export interface SubscribeParameters {
  readonly params: readonly unknown[]
  readonly onData: (data: { readonly subscription: string; readonly result: unknown }) => void
  readonly onError?: (error: Error) => void
}

/** What viem unsubscribes with. */
export interface SubscribeReturn {
  readonly subscriptionId: Hash
  readonly unsubscribe: () => Promise<boolean>
}

/** The transport; `client.transport.provider` is the provider below it. */
export type IpcTransport = Transport<
  'ipc',
  {
    readonly provider: EthereumProvider
    readonly subscribe: (parameters: SubscribeParameters) => Promise<SubscribeReturn>
  }
>

const configNames = ['key', 'name', 'methods']

/**
 * A transport for the node at an address, or for `geth`, `reth` or `anvil` where `findNode` finds it; or for a provider,
 * which then may have other users. `client.transport.provider.close()` ends its connection.
 *
 * viem's own retries are off, whatever the client says: the connection makes a read again that was lost with it, and
 * nothing else may be sent twice. Needs the package `viem`, else requests reject with `missing_dependency`.
 *
 * @example
 * ```ts
 * import { createPublicClient } from 'viem'
 * import { ipcTransport } from 'postern/ethereum'
 *
 * const client = createPublicClient({ transport: ipcTransport('reth') })
 * client.watchBlocks({ onBlock: (block) => console.log(block.number) })
 * ```
 */
export function ipcTransport(node: string, options?: IpcTransportOptions): IpcTransport
export function ipcTransport(provider: EthereumProvider, config?: IpcTransportConfig): IpcTransport
export function ipcTransport(node: string | EthereumProvider, options: IpcTransportOptions = {}): IpcTransport {
  const named = typeof node === 'string'
  checkOptions('ipcTransport', options, named ? [...configNames, ...providerOptionNames] : configNames)
  const { key = 'ipc', name = 'Postern IPC', methods, ...rest } = options
  const provider = named ? ethereumProvider(node, rest) : node
  const config = {
    key,
    name,
    methods,
    request: ((call, override) => send(provider, call, override?.signal)) as EIP1193RequestFn,
    retryCount: 0,
    type: 'ipc',
  } as const
  // viem's `fallback` calls the transport for each request: what it needs of viem is made once.
  let made: Promise<EIP1193RequestFn> | undefined
  const request = async (...args: Parameters<EIP1193RequestFn>): Promise<never> => {
    made ??= requestWithErrors(config)
    const requestByViem = await made
    return (await requestByViem(...args)) as never
  }
  const value = { provider, subscribe: (parameters: SubscribeParameters) => subscribe(provider, parameters) }
  return () => ({ config, request, value })
}

async function requestWithErrors(config: TransportConfig<'ipc'>): Promise<EIP1193RequestFn> {
  const { createTransport } = await loadViem()
  return createTransport(config).request
}

/** Rejects with errors of viem's own, since it decodes reverts in no others. */
async function send(
  provider: EthereumProvider,
  call: RequestArguments,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  try {
    return await provider.request(call, signal === undefined ? {} : { signal })
  } catch (error) {
    if (typeof (error as ProviderRpcError).code !== 'number') throw error
    const { RpcRequestError } = await loadViem()
    throw new RpcRequestError({ body: { ...call }, error: error as ProviderRpcError, url: provider.node })
  }
}

async function subscribe(provider: EthereumProvider, parameters: SubscribeParameters): Promise<SubscribeReturn> {
  const { params, onData, onError } = parameters
  const { id, unsubscribe } = await provider.subscribe(params, {
    onItem: (result, subscription) => onData({ subscription, result }),
    ...(onError === undefined ? {} : { onError }),
  })
  return { subscriptionId: id as Hash, unsubscribe }
}

async function loadViem(): Promise<typeof Viem> {
  try {
    return await import('viem')
  } catch (error) {
    if (nodeErrorCode(error) !== 'ERR_MODULE_NOT_FOUND') throw error
    const sentence = 'postern/ethereum needs the package "viem" for ipcTransport (npm install viem)'
    throw new PosternError('missing_dependency', sentence, { cause: error })
  }
}
