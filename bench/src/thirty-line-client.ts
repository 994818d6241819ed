/**
 * A JSON-RPC client as one would write it in thirty lines, linear at any size: the floor for large answers.
 *
 * It looks for nothing but the newline, joins each line once, and leaves the rest to `isUtf8` and `JSON.parse`. It has
 * no limits, deadlines, cancels or checks of who answers.
 */

import { isUtf8 } from 'node:buffer'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

interface Answer {
  readonly id: number
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

interface Pending {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

export class ThirtyLineClient {
  readonly #socket: Socket
  readonly #pending = new Map<number, Pending>()
  #pieces: Buffer[] = []
  #lastId = 0

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#data(chunk))
    // An error is always followed by the close.
    socket.on('error', () => undefined)
    socket.on('close', () => this.#closed())
  }

  call(method: string, params: unknown): Promise<unknown> {
    const id = ++this.#lastId
    this.#socket.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
    return new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }))
  }

  close(): void {
    this.#socket.destroy()
  }

  #data(chunk: Buffer): void {
    let start = 0
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      this.#pieces.push(chunk.subarray(start, end))
      this.#line(Buffer.concat(this.#pieces))
      this.#pieces = []
      start = end + 1
    }
    if (start < chunk.length) this.#pieces.push(chunk.subarray(start))
  }

  #line(line: Buffer): void {
    if (!isUtf8(line)) throw new Error('the answer is not UTF-8')
    const { id, result, error } = JSON.parse(line.toString()) as Answer
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (error === undefined) pending?.resolve(result)
    else pending?.reject(new Error(error.message))
  }

  #closed(): void {
    for (const { reject } of this.#pending.values()) reject(new Error('the connection has ended'))
    this.#pending.clear()
  }
}

/** Connects to a socket's path. */
export async function connectThirtyLine(path: string): Promise<ThirtyLineClient> {
  const socket = connect(path)
  await once(socket, 'connect')
  return new ThirtyLineClient(socket)
}
