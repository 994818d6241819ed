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
  /** How it was set up, for the reader who wonders whether the comparison is fair: each default that was changed, and why. */
  readonly defaults: string
  /** One of those that ours must be ahead of. */
  readonly library?: true
  /** It takes seconds for a large answer, which is therefore asked of it less often. */
  readonly slow?: true
  connect(node: NodeAddresses): Promise<NodeClient>
}

export interface NodeClient {
  /** One call with positional parameters; resolves with the result, parsed. */
  call(method: string, params: readonly unknown[]): Promise<unknown>
  /** Afterwards nothing of it keeps the process alive. */
  close(): Promise<void>
}
