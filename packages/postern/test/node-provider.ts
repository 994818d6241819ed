import { onTestFinished } from 'vitest'
import {
  type EthereumProvider,
  type EthereumProviderOptions,
  ethereumProvider,
} from '../src/ethereum/ethereum-provider.ts'
import type { FakeNode } from './fake-node.ts'

/** Back soon, since nobody else competes for the node, and not waiting for answers that never come. */
const limits = { retryMinMs: 1, retryMaxMs: 20, drainMs: 20 }

/** A provider for the node, which is closed when the test is over. */
export function providerOf(node: FakeNode, options: EthereumProviderOptions = {}): EthereumProvider {
  const provider = ethereumProvider(node.address, { ...options, limits: { ...limits, ...options.limits } })
  onTestFinished(() => provider.close())
  return provider
}

/** What a promise rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => 'it resolved',
    (error: unknown) => error,
  )
}
