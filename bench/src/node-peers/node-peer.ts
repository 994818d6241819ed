/**
 * A client of an Ethereum node, measured beside the others. To add one, write one file that implements this, and name
 * it in `all-node-peers.ts`.
 */

/** Where a node listens. */
export interface NodeAddresses {
  /** The path of its IPC socket. */
  readonly ipcPath: string
  readonly httpUrl: string
}

export interface NodePeer {
  /** As the table prints it. */
  readonly name: string
  /** How it was set up, for the reader who wonders whether the comparison is fair. */
  readonly defaults: string
  connect(node: NodeAddresses): Promise<NodeClient>
}

export interface NodeClient {
  /** One call with positional parameters; resolves with the result, parsed. */
  call(method: string, params: readonly unknown[]): Promise<unknown>
  close(): Promise<void>
}
