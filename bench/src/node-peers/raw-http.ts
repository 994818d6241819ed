/** JSON-RPC over HTTP as one would write it with `node:http` alone. */

import { Agent, type IncomingMessage, type RequestOptions, request } from 'node:http'
import type { NodeAddresses, NodeClient, NodePeer } from './node-peer.ts'

/** Sockets for the calls that are in flight together. */
const maxSockets = 64

export const rawHttp: NodePeer = {
  name: 'node:http, keep-alive',
  defaults: `one POST a call, keep-alive, up to ${maxSockets} sockets, JSON.parse of the joined body`,
  async connect({ httpUrl }: NodeAddresses): Promise<NodeClient> {
    return new RawHttpClient(httpUrl)
  },
}

interface Answer {
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

class RawHttpClient implements NodeClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets })
  readonly #target: RequestOptions
  #lastId = 0

  constructor(url: string) {
    const { hostname, port, pathname } = new URL(url)
    this.#target = { hostname, port, path: pathname, method: 'POST', agent: this.#agent }
  }

  call(method: string, params: readonly unknown[]): Promise<unknown> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: ++this.#lastId, method, params })
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    return new Promise((resolve, reject) => {
      const posted = request({ ...this.#target, headers }, (response) => {
        readAnswer(response, resolve, reject)
      })
      posted.once('error', reject)
      posted.end(body)
    })
  }

  async close(): Promise<void> {
    this.#agent.destroy()
  }
}

function readAnswer(
  response: IncomingMessage,
  resolve: (result: unknown) => void,
  reject: (error: Error) => void,
): void {
  const chunks: Buffer[] = []
  response.on('data', (chunk: Buffer) => chunks.push(chunk))
  response.once('error', reject)
  response.once('end', () => {
    try {
      const { result, error } = JSON.parse(Buffer.concat(chunks).toString()) as Answer
      if (error === undefined) resolve(result)
      else reject(new Error(error.message))
    } catch (error) {
      reject(error as Error)
    }
  })
}
