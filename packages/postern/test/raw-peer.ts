import { connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { until } from '../src/testing/until.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** A peer that speaks bytes, however wrong, and shows what came back. */
export class RawPeer {
  readonly socket: Socket
  #received = Buffer.alloc(0)
  #over = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk])
    })
    socket.on('end', () => {
      this.#over = true
    })
    socket.on('close', () => {
      this.#over = true
    })
    socket.on('error', () => undefined)
  }

  get text(): string {
    return this.#received.toString()
  }

  get bytes(): number {
    return this.#received.length
  }

  /** Whether the other side has ended the connection. */
  get over(): boolean {
    return this.#over
  }

  send(data: string | Uint8Array): void {
    this.socket.write(data)
  }

  /** The next whole line; rejects when there is none in time. */
  async line(): Promise<string> {
    await until(() => this.#received.includes(10) || this.#over)
    const end = this.#received.indexOf(10)
    if (end < 0) throw new Error(`the connection ended without a line; it left ${JSON.stringify(this.text)}`)
    const line = this.#received.subarray(0, end).toString()
    this.#received = this.#received.subarray(end + 1)
    return line
  }

  /** Takes up to so many of the bytes that have come. */
  taken(bytes: number): Buffer {
    const taken = this.#received.subarray(0, bytes)
    this.#received = this.#received.subarray(bytes)
    return taken
  }

  /** The next line as JSON. */
  async value(): Promise<unknown> {
    return JSON.parse(await this.line())
  }

  async ended(): Promise<void> {
    await until(() => this.#over)
  }
}

/** Connects to a Unix socket without any library of ours. */
export async function rawClient(path: string): Promise<RawPeer> {
  const socket = connect({ path, allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  return new RawPeer(socket)
}

/** A server without any library of ours: `serve` is told of each connection. */
export async function rawServer(
  serve: (peer: RawPeer, connection: number) => void,
): Promise<{ path: string; stop: () => void }> {
  const path = `${await temporaryDirectory()}/raw`
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    serve(new RawPeer(socket), ++connections)
  })
  await new Promise<void>((resolve) => {
    server.listen(path, resolve)
  })
  const stop = (): void => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  onTestFinished(stop)
  return { path, stop }
}

/** Answers each line of a peer that is a call by `answer`, which gives the bytes to send. */
export function answerLines(
  peer: RawPeer,
  answer: (call: { id: number; method: string; params?: unknown }) => string | Uint8Array | undefined,
): void {
  void (async () => {
    for (;;) {
      const call = JSON.parse(await peer.line()) as { id: number; method: string }
      const data = answer(call)
      if (data !== undefined) peer.send(data)
    }
  })().catch(() => undefined)
}
