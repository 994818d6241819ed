/**
 * A node over its IPC socket, by Postern.
 */

import { type Connection, type ConnectOptions, connect, type Subscription } from 'postern'
import { NewHead, read } from './answers.ts'
import type { EthereumNode, NodeCall } from './ethereum-node.ts'

/** Connects to a node's socket, such as `unix:~/.ethereum/geth.ipc`. */
export async function connectIpcNode(address: string, options: ConnectOptions = {}): Promise<EthereumNode> {
  return new IpcNode(await connect(address, options))
}

class IpcNode implements EthereumNode {
  readonly transport = 'IPC'
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  call(...[method, ...params]: NodeCall): Promise<unknown> {
    return this.#connection.call(method, params)
  }

  async batch(calls: readonly NodeCall[]): Promise<unknown[]> {
    const outcomes = await this.#connection.batch(calls.map(([method, ...params]) => [method, params]))
    return outcomes.map((outcome) => {
      if (outcome.status === 'rejected') throw outcome.reason
      return outcome.value
    })
  }

  callRaw([method, ...params]: NodeCall, onProgress: (bytes: number) => void): Promise<Uint8Array> {
    return this.#connection.call(method, params, { raw: true, onProgress })
  }

  async newBlocks(): Promise<AsyncIterableIterator<string>> {
    const heads = this.#connection.subscribe('eth_subscribe', ['newHeads'])
    await heads.ready
    return hashesOf(heads)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection.close()
  }
}

async function* hashesOf(heads: Subscription): AsyncGenerator<string> {
  for await (const head of heads) yield read(NewHead, head, 'a head').hash
}
