/** HTTP over a Unix socket: undici's pool at a server of `node:http`, a path for each method and JSON as the body. */

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Pool } from 'undici'
import { libraryVersion } from '../node-peers/library-version.ts'
import type { Stop } from '../roles/role.ts'
import { handlers, type Method, type Params, type Peer, type PeerClient } from './peer.ts'

const headers = { 'content-type': 'application/json' } as const

export const undici: Peer = {
  name: 'undici, HTTP',
  defaults:
    `${libraryVersion('undici')}, Pool with socketPath and its defaults: pipelining 1 and as many connections as there ` +
    'are calls in flight, kept alive, so 64 in flight are 64 connections; node:http createServer with its defaults; ' +
    'POST with a JSON body',
  library: true,
  async serve(path: string): Promise<Stop> {
    const server = createServer(answer)
    server.listen(path)
    await once(server, 'listening')
    return async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    }
  },
  async connect(path: string): Promise<PeerClient> {
    return new UndiciClient(new Pool('http://localhost', { socketPath: path }))
  },
}

/** By events and with a length: cheaper than `for await` and chunks. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  let body = ''
  request.setEncoding('utf8')
  request.on('data', (chunk: string) => {
    body += chunk
  })
  request.on('end', () => {
    const result = handlers[request.url?.slice(1) as Method](JSON.parse(body))
    response.setHeader('content-type', headers['content-type'])
    response.end(JSON.stringify(result))
  })
}

class UndiciClient implements PeerClient {
  readonly #pool: Pool

  constructor(pool: Pool) {
    this.#pool = pool
  }

  async call(method: Method, params: Params): Promise<unknown> {
    const body = JSON.stringify(params)
    const response = await this.#pool.request({ path: `/${method}`, method: 'POST', headers, body })
    return await response.body.json()
  }

  close(): Promise<void> {
    return this.#pool.close()
  }
}
