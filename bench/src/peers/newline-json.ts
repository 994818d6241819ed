/** JSON-RPC as one writes it by hand: a JSON value a line, a write a message, a Map of ids, and no care at all. */

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Stop } from '../roles/role.ts'
import { listenPlainly } from './listen-plainly.ts'
import { handlers, type Method, type Params, type Peer, type PeerClient } from './peer.ts'

interface Call {
  readonly jsonrpc: '2.0'
  readonly id: number
  readonly method: Method
  readonly params: unknown
}

interface Answer {
  readonly id: number
  readonly result: unknown
}

/** Makes how a socket's lines are written: each at once, or all of a tick together. */
export type Writer = (socket: Socket) => { write(line: string): void }

export const newlineJson: Peer = handWritten('newline-JSON loop', 'a write a message', (socket) => socket)

/** The hand-written loop with this way to write. */
export function handWritten(name: string, writes: string, writer: Writer): Peer {
  return {
    name,
    defaults: `about 30 lines a side: JSON.parse and JSON.stringify, split at newlines, a Map of ids; ${writes}; no limits, deadlines or checks`,
    // It joins and splits again with each chunk: the floor for large answers is another.
    only: 'small-calls',
    serve: (path: string): Promise<Stop> => listenPlainly(path, (socket) => serveLines(socket, writer(socket))),
    async connect(path: string): Promise<PeerClient> {
      const socket = connect(path)
      await once(socket, 'connect')
      return new LineClient(socket, writer(socket))
    },
  }
}

function serveLines(socket: Socket, out: ReturnType<Writer>): void {
  let rest = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const { id, method, params } = JSON.parse(line) as Call
      const result = handlers[method](params)
      out.write(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`)
    }
  })
}

class LineClient implements PeerClient {
  readonly #socket: Socket
  readonly #out: ReturnType<Writer>
  readonly #pending = new Map<number, (result: unknown) => void>()
  #lastId = 0
  #rest = ''

  constructor(socket: Socket, out: ReturnType<Writer>) {
    this.#socket = socket
    this.#out = out
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => this.#data(chunk))
  }

  call(method: Method, params: Params): Promise<unknown> {
    const id = ++this.#lastId
    return new Promise((resolve) => {
      this.#pending.set(id, resolve)
      this.#out.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
    })
  }

  close(): Promise<void> {
    this.#socket.destroy()
    return Promise.resolve()
  }

  #data(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      const { id, result } = JSON.parse(line) as Answer
      this.#pending.get(id)?.(result)
      this.#pending.delete(id)
    }
  }
}
