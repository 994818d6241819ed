/** The floor: 100 bytes there and back over `node:net`, without any message, one round trip at a time. */

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Stop } from '../roles/role.ts'
import { listenPlainly } from './listen-plainly.ts'
import { type Payload, type Peer, type PeerClient, payload } from './peer.ts'

export const rawNet: Peer = {
  name: 'raw net echo',
  defaults: '100 bytes over node:net, no framing, no codec; one round trip at a time',
  only: 'small-calls',
  sequential: true,
  serve(path: string): Promise<Stop> {
    return listenPlainly(path, (socket) => {
      socket.on('data', (chunk) => socket.write(chunk))
    })
  },
  async connect(path: string): Promise<PeerClient> {
    const socket = connect(path)
    await once(socket, 'connect')
    return new RawClient(socket)
  },
}

class RawClient implements PeerClient {
  readonly #socket: Socket
  readonly #bytes = Buffer.from(payload.text)
  #missing = 0
  #resolve: (payload: Payload) => void = () => undefined

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => {
      this.#missing -= chunk.length
      if (this.#missing === 0) this.#resolve(payload)
    })
  }

  /** Every call is this one. */
  call(): Promise<Payload> {
    this.#missing = this.#bytes.length
    this.#socket.write(this.#bytes)
    return new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  close(): Promise<void> {
    this.#socket.destroy()
    return Promise.resolve()
  }
}
