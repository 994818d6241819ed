/** The hand-written loop again, but what is said in one tick leaves in one write. */

import type { Socket } from 'node:net'
import { handWritten } from './newline-json.ts'
import type { Peer } from './peer.ts'

export const newlineJsonCoalesced: Peer = handWritten(
  'newline-JSON loop, one write a tick',
  'one write a tick',
  (socket) => new TickWriter(socket),
)

class TickWriter {
  readonly #socket: Socket
  #lines = ''

  constructor(socket: Socket) {
    this.#socket = socket
  }

  write(line: string): void {
    if (this.#lines === '') process.nextTick(() => this.#flush())
    this.#lines += line
  }

  #flush(): void {
    this.#socket.write(this.#lines)
    this.#lines = ''
  }
}
