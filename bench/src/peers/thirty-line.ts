/** The thirty-line client at the thirty-line server: the floor for large answers. */

import type { Stop } from '../roles/role.ts'
import { connectThirtyLine, type ThirtyLineClient } from '../thirty-line-client.ts'
import { serveThirtyLine } from '../thirty-line-server.ts'
import { handlers, type Method, type Params, type Peer, type PeerClient } from './peer.ts'

export const thirtyLine: Peer = {
  name: 'thirty-line client and server',
  defaults: 'newline search, Buffer.concat once a line, isUtf8, JSON.parse and JSON.stringify; no limits or deadlines',
  only: 'peer-answers',
  serve: (path: string): Promise<Stop> => serveThirtyLine(path, handlers),
  async connect(path: string): Promise<PeerClient> {
    return new ThirtyLinePeerClient(await connectThirtyLine(path))
  },
}

class ThirtyLinePeerClient implements PeerClient {
  readonly #client: ThirtyLineClient

  constructor(client: ThirtyLineClient) {
    this.#client = client
  }

  call(method: Method, params: Params): Promise<unknown> {
    return this.#client.call(method, params)
  }

  close(): Promise<void> {
    this.#client.close()
    return Promise.resolve()
  }
}
