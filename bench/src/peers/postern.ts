/** Postern with its defaults: plain handlers, one that answers at once and one that is async. */

import { type Connection, connect, type Handlers, serve } from 'postern'
import type { Stop } from '../roles/role.ts'
import type { Payload, Peer, PeerClient } from './peer.ts'

export const postern: Peer = posternWith('postern', 'a handler that answers at once', {
  echo: (params: unknown) => params,
})

export const posternAsync: Peer = posternWith('postern, async handler', 'an async handler', {
  echo: async (params: unknown) => params,
})

function posternWith(name: string, handler: string, handlers: Handlers): Peer {
  return {
    name,
    defaults: `serve and connect over unix: with their defaults (all limits, deadlines and checks on), no contract, ${handler}`,
    async serve(path: string): Promise<Stop> {
      const server = await serve(handlers, { at: `unix:${path}` })
      return () => server.close()
    },
    async connect(path: string): Promise<PeerClient> {
      return new PosternClient(await connect(`unix:${path}`))
    },
  }
}

class PosternClient implements PeerClient {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  echo(payload: Payload): Promise<unknown> {
    return this.#connection.call('echo', payload)
  }

  close(): Promise<void> {
    return this.#connection.close()
  }
}
