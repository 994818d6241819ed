import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { temporaryDirectory } from './temporary-directory.ts'

/** One call as it arrived. */
export interface NodeCall {
  readonly id: number
  readonly method: string
  readonly params?: unknown
}

/** What a fake node says to a call; nothing when it returns undefined. */
export type NodeAnswer = (call: NodeCall) => { readonly result: unknown } | { readonly error: unknown } | undefined

const answers: NodeAnswer = ({ method, params }) => {
  if (method === 'eth_chainId') return { result: '0x7a69' }
  if (method === 'eth_never' || method === 'eth_getNever') return undefined
  if (method === 'eth_unsubscribe') return { result: true }
  return { result: [method, params] }
}

/** Something that answers like an Ethereum node, and can be killed and started again at the same path. */
export class FakeNode {
  readonly path: string
  readonly address: string
  /** Each line that arrived. */
  readonly frames: string[] = []
  readonly #answer: NodeAnswer
  readonly #sockets = new Set<Socket>()
  readonly #subscriptions = new Map<string, Socket>()
  #server: Server | undefined
  #subscribed = 0

  constructor(path: string, answer: NodeAnswer = () => undefined) {
    this.path = path
    this.address = `unix:${path}`
    this.#answer = (call) => answer(call) ?? answers(call)
  }

  /** The methods that arrived, also those in batches. */
  get methods(): string[] {
    return this.frames.flatMap((frame) => callsIn(frame).map(({ method }) => method))
  }

  get connections(): number {
    return this.#sockets.size
  }

  /** Subscriptions that stand. */
  get subscriptions(): number {
    return this.#subscriptions.size
  }

  async start(): Promise<void> {
    const server = createServer((socket) => this.#serve(socket))
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.path, resolve)
    })
  }

  /** Ends as a process does that is killed, but that no stale socket stays behind. */
  kill(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#sockets.clear()
    this.#subscriptions.clear()
    this.#server?.close()
  }

  /** Sends an item to all subscriptions. */
  publish(result: unknown): void {
    for (const [subscription, socket] of this.#subscriptions) {
      const params = { subscription, result }
      socket.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'eth_subscription', params })}\n`)
    }
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => this.#sockets.delete(socket))
    const lines = createInterface(socket)
    lines.on('error', () => undefined)
    lines.on('line', (line) => {
      this.frames.push(line)
      const outcomes = callsIn(line).flatMap((call) => this.#outcome(call, socket))
      if (outcomes.length === 0) return
      socket.write(`${JSON.stringify(line.startsWith('[') ? outcomes : outcomes[0])}\n`)
    })
  }

  #outcome(call: NodeCall, socket: Socket): object[] {
    if (call.method === 'eth_unsubscribe') this.#subscriptions.delete(String((call.params as unknown[])[0]))
    let answer = this.#answer(call)
    if (call.method === 'eth_subscribe' && !('error' in (answer ?? {}))) {
      // Like a node's: another one after each restart.
      const id = `0xf${++this.#subscribed}`
      this.#subscriptions.set(id, socket)
      answer = { result: id }
    }
    return answer === undefined ? [] : [{ jsonrpc: '2.0', id: call.id, ...answer }]
  }
}

function callsIn(frame: string): NodeCall[] {
  const value = JSON.parse(frame) as NodeCall | NodeCall[]
  return Array.isArray(value) ? value : [value]
}

/** A node that is gone when the test is over; with `started: false` it has yet to be started. */
export async function fakeNode(answer?: NodeAnswer, { started = true } = {}): Promise<FakeNode> {
  const node = new FakeNode(join(await temporaryDirectory(), 'n'), answer)
  onTestFinished(() => node.kill())
  if (started) await node.start()
  return node
}
