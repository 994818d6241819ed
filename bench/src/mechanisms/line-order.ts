/**
 * What is done with the messages of a line. A client gives an order, waits for the byte that answers it, and sends so
 * many bytes in messages; the server sends each back, or one byte when it has taken them all.
 *
 * ```
 * 00                 01: send back, 00: take
 * 41 2e 84 80 ..     how many bytes follow, as a float of 8 bytes
 * ```
 */

import type { Line } from './mechanism.ts'

const orderBytes = 9
const done = Buffer.from([1])

/** The server's part. */
export function obeyOrders(line: Line): void {
  let echoes = false
  let left = 0
  const answer = (bytes: Uint8Array): void => {
    if (left === 0) {
      const order = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      if (order.length !== orderBytes) throw new Error(`an order of ${order.length} bytes`)
      echoes = order[0] === 1
      left = order.readDoubleBE(1)
      line.send(done)
      return
    }
    left -= bytes.length
    if (echoes) line.send(bytes)
    else if (left === 0) line.send(done)
  }
  line.start({ bytes: answer, room: () => undefined })
}

/** The client's part. One thing at a time: what a promise is for is over before the next begins. */
export class OrderedLine {
  readonly #line: Line
  #missing = 0
  #onArrived: () => void = () => undefined
  #onRoom: () => void = () => undefined

  constructor(line: Line) {
    this.#line = line
    line.start({
      bytes: (bytes) => {
        this.#missing -= bytes.length
        if (this.#missing === 0) this.#onArrived()
      },
      room: () => this.#onRoom(),
    })
  }

  /** Begins `count` round trips of as many bytes each. */
  async beginEcho(bytes: number, count: number): Promise<void> {
    await this.#order(true, bytes * count)
  }

  /** One of them. */
  echo(message: Uint8Array): Promise<void> {
    const arrived = this.#await(message.length)
    this.#line.send(message)
    return arrived
  }

  /** Sends the message so often; resolves when the other side has them all. */
  async flow(message: Uint8Array, count: number): Promise<void> {
    await this.#order(false, message.length * count)
    const arrived = this.#await(done.length)
    for (let sent = 0; sent < count; sent++) {
      if (this.#line.full) await this.#room()
      this.#line.send(message)
    }
    await arrived
  }

  close(): void {
    this.#line.close()
  }

  #order(echoes: boolean, bytes: number): Promise<void> {
    const order = Buffer.alloc(orderBytes)
    order.writeUInt8(echoes ? 1 : 0)
    order.writeDoubleBE(bytes, 1)
    const arrived = this.#await(done.length)
    this.#line.send(order)
    return arrived
  }

  #await(bytes: number): Promise<void> {
    this.#missing = bytes
    return new Promise((resolve) => {
      this.#onArrived = resolve
    })
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#onRoom = resolve
    })
  }
}
