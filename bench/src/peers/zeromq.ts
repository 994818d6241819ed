/** ZeroMQ over `ipc://`: DEALER at ROUTER, since REQ and REP have one call under way at most; JSON with ids on top. */

import { Dealer, type Message, Router } from 'zeromq'
import { libraryVersion } from '../node-peers/library-version.ts'
import type { Stop } from '../roles/role.ts'
import { handlers, type Method, type Params, type Peer, type PeerClient } from './peer.ts'

interface Call {
  readonly id: number
  readonly method: Method
  readonly params: unknown
}

interface Answer {
  readonly id: number
  readonly result: unknown
}

interface Pending {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

export const zeromq: Peer = {
  name: 'zeromq, DEALER and ROUTER',
  defaults:
    `${libraryVersion('zeromq')}, Dealer and Router over ipc:// with their defaults (queues of 1,000 messages, an I/O ` +
    'thread a process), one frame of JSON a message, joined by an id and a Map',
  library: true,
  async serve(path: string): Promise<Stop> {
    const router = new Router()
    await router.bind(`ipc://${path}`)
    const ended = answerAll(router)
    return async () => {
      router.close()
      await ended
    }
  },
  async connect(path: string): Promise<PeerClient> {
    const dealer = new Dealer()
    dealer.connect(`ipc://${path}`)
    return new ZeromqClient(dealer)
  },
}

async function answerAll(router: Router): Promise<void> {
  for await (const [client, message] of router) {
    const { id, method, params } = JSON.parse(String(message)) as Call
    await router.send([client as Message, JSON.stringify({ id, result: handlers[method](params) } satisfies Answer)])
  }
}

class ZeromqClient implements PeerClient {
  readonly #dealer: Dealer
  readonly #pending = new Map<number, Pending>()
  readonly #ended: Promise<void>
  #lastId = 0

  constructor(dealer: Dealer) {
    this.#dealer = dealer
    this.#ended = this.#takeAnswers()
  }

  call(method: Method, params: Params): Promise<unknown> {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      // It is queued at once while the queue has room, which is for more calls than the bench has in flight.
      this.#dealer.send(JSON.stringify({ id, method, params } satisfies Call)).catch(reject)
    })
  }

  async close(): Promise<void> {
    this.#dealer.close()
    await this.#ended
  }

  async #takeAnswers(): Promise<void> {
    for await (const [message] of this.#dealer) {
      const { id, result } = JSON.parse(String(message)) as Answer
      this.#pending.get(id)?.resolve(result)
      this.#pending.delete(id)
    }
  }
}
