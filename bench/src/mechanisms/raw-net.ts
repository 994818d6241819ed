/** The floor of what Node does: the bytes of a Unix socket over `node:net`. */

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { listenPlainly } from '../peers/listen-plainly.ts'
import type { Line, LineHandlers, Mechanism } from './mechanism.ts'

export const rawNet: Mechanism = {
  name: 'raw net',
  defaults: 'a Unix socket over node:net, bytes without messages, a write for each',
  listen: (path, onLine) => listenPlainly(path, (socket) => onLine(new SocketLine(socket))),
  async connect(path) {
    const socket = connect(path)
    await once(socket, 'connect')
    return new SocketLine(socket)
  },
}

class SocketLine implements Line {
  readonly #socket: Socket

  constructor(socket: Socket) {
    this.#socket = socket
  }

  get full(): boolean {
    return this.#socket.writableNeedDrain
  }

  start({ bytes, room }: LineHandlers): void {
    this.#socket.on('data', bytes)
    this.#socket.on('drain', room)
  }

  send(message: Uint8Array): void {
    this.#socket.write(message)
  }

  close(): void {
    this.#socket.destroy()
  }
}
