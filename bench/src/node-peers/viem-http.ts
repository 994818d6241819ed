import { type Client, createClient, type HttpTransport, http } from 'viem'
import { libraryVersion } from './library-version.ts'
import type { NodeAddresses, NodeClient, NodePeer } from './node-peer.ts'

/** A method that viem need not know. */
export interface ViemCall {
  readonly Method: string
  readonly Parameters: readonly unknown[]
  readonly ReturnType: unknown
}

export const viemHttp: NodePeer = {
  name: 'viem, HTTP',
  defaults:
    `${libraryVersion('viem')}, createClient with http and its defaults (one POST a call); but no limit for the body, ` +
    'which is larger than its 10 MiB',
  library: true,
  async connect({ httpUrl }: NodeAddresses): Promise<NodeClient> {
    return new ViemHttpClient(createClient({ transport: http(httpUrl, { maxResponseBodySize: false }) }))
  },
}

class ViemHttpClient implements NodeClient {
  readonly #client: Client<HttpTransport>

  constructor(client: Client<HttpTransport>) {
    this.#client = client
  }

  call(method: string, params: readonly unknown[]): Promise<unknown> {
    return this.#client.request<ViemCall>({ method, params })
  }

  /** Idle connections of `fetch` keep no process alive. */
  async close(): Promise<void> {}
}
