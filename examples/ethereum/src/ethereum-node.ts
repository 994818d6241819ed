/**
 * What both tasks need of an Ethereum node, whichever way it is reached.
 */

/** A method's name and its positional parameters. */
export type NodeCall = readonly [method: string, ...params: unknown[]]

/** How a node is reached. */
export type Transport = 'IPC' | 'HTTP'

/** One node, reached over its IPC socket (`ipc-node.ts`) or over HTTP (`http-node.ts`). */
export interface EthereumNode extends AsyncDisposable {
  readonly transport: Transport
  /** Rejects with the node's own error where it answers one. */
  call(...call: NodeCall): Promise<unknown>
  /** Several calls in one message: their results in the order of the calls, or the first error. */
  batch(calls: readonly NodeCall[]): Promise<unknown[]>
  /** The JSON text of the result as it came; `onProgress` is told how many bytes of the answer have arrived. */
  callRaw(call: NodeCall, onProgress: (bytes: number) => void): Promise<Uint8Array>
  /** Hashes of the blocks to come. When this resolves, none is missed any more. */
  newBlocks(): Promise<AsyncIterableIterator<string>>
}
