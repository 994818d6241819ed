import type { EthereumNode } from './ethereum-node.ts'
import { connectHttpNode } from './http-node.ts'
import { connectIpcNode } from './ipc-node.ts'

/** Reaches a node by its address: `http:` and `https:` by `fetch`, anything else by Postern. */
export async function connectNode(address: string): Promise<EthereumNode> {
  return /^https?:/.test(address) ? connectHttpNode(address) : await connectIpcNode(address)
}
