import { type Client, createClient } from 'viem'
import { type IpcTransport, ipc } from 'viem/node'
import { libraryVersion } from './library-version.ts'
import type { NodeAddresses, NodeClient, NodePeer } from './node-peer.ts'
import type { ViemCall } from './viem-http.ts'

/** Longer than a large trace takes on a machine that is busy, and shorter than a client of the bench may take. */
const timeoutMs = 150_000

export const viemIpc: NodePeer = {
  name: 'viem, IPC',
  defaults:
    `${libraryVersion('viem')}, createClient with ipc and its defaults; but a timeout of ${timeoutMs / 1_000} s, not ` +
    '10 s, which a large trace can take, and no retries, which would ask for it again',
  library: true,
  slow: true,
  async connect({ ipcPath }: NodeAddresses): Promise<NodeClient> {
    return new ViemIpcClient(createClient({ transport: ipc(ipcPath, { timeout: timeoutMs, retryCount: 0 }) }))
  },
}

class ViemIpcClient implements NodeClient {
  readonly #client: Client<IpcTransport>

  constructor(client: Client<IpcTransport>) {
    this.#client = client
  }

  call(method: string, params: readonly unknown[]): Promise<unknown> {
    return this.#client.request<ViemCall>({ method, params })
  }

  async close(): Promise<void> {
    const connection = await this.#client.transport.getRpcClient()
    connection.close()
  }
}
