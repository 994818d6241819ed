/** Postern with its defaults: plain handlers, one that answers at once and one that is async. */

import { type Connection, connect, type Handlers, serve } from 'postern'
import type { Stop } from '../roles/role.ts'
import { handlers, type Method, type Params, type Peer, type PeerClient } from './peer.ts'

const settings = 'serve and connect over unix: with their defaults (all limits, deadlines and checks on), no contract'

export const postern: Peer = {
  name: 'postern',
  defaults: `${settings}, a handler that answers at once`,
  serve: (path: string): Promise<Stop> => servePostern(path, handlers),
  connect: connectPostern,
}

export const posternAsync: Peer = {
  name: 'postern, async handler',
  defaults: `${settings}, an async handler`,
  only: 'small-calls',
  serve: (path: string): Promise<Stop> => servePostern(path, { echo: async (params: unknown) => params }),
  connect: connectPostern,
}

async function servePostern(path: string, served: Handlers): Promise<Stop> {
  const server = await serve(served, { at: `unix:${path}` })
  return () => server.close()
}

async function connectPostern(path: string): Promise<PeerClient> {
  return new PosternClient(await connect(`unix:${path}`))
}

class PosternClient implements PeerClient {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  call(method: Method, params: Params): Promise<unknown> {
    return this.#connection.call(method, params)
  }

  close(): Promise<void> {
    return this.#connection.close()
  }
}
