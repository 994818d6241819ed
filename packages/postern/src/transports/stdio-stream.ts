/** Streams over what Node reads from and writes to: two pipes, or one inherited socket that is both. */

import type { Readable, Writable } from 'node:stream'
import { PosternError } from '../core/errors.ts'
import { type Peer, type Stream, type StreamHandlers, unknownPeer } from '../core/stream.ts'
import { fromNodeError } from '../os/node-error.ts'

/** What the stream is made of. */
interface StdioEnds {
  readonly input: Readable
  /** The same object as `input` where that is a socket, which must be `allowHalfOpen`. */
  readonly output: Writable
}

/** How long what is still in a pipe may take to come after the other pipe broke. */
const remainderMs = 200

/**
 * A `Stream` over ends that somebody else made, in the turn in which they were made. Node resumes the pipes of a child
 * that exits, whoever has paused them; so this reads only when it is told that there is something to read.
 */
export class StdioStream implements Stream {
  readonly peer: Peer = unknownPeer
  /** Resolves when the stream is over. */
  readonly closed: Promise<void>
  readonly #input: Readable
  readonly #output: Writable
  /** What errors name. */
  readonly #address: string
  #handlers: StreamHandlers | undefined
  #paused = false
  #ended = false
  #endTold = false
  #open: number
  #reason: PosternError | undefined
  #remainder: NodeJS.Timeout | undefined
  #resolveClosed: () => void = () => undefined

  constructor({ input, output }: StdioEnds, address: string) {
    this.#input = input
    this.#output = output
    this.#address = address
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    const ends = new Set<Readable | Writable>([input, output])
    this.#open = ends.size
    for (const end of ends) {
      end.on('error', (error) => this.#failed(error))
      end.on('close', () => this.#closed())
    }
    input.on('readable', () => this.#deliver())
    input.on('end', () => {
      this.#ended = true
      this.#tellEnd()
    })
    output.on('drain', () => this.#handlers?.drain())
  }

  start(handlers: StreamHandlers): void {
    process.nextTick(() => {
      this.#handlers = handlers
      this.#deliver()
      this.#tellEnd()
      if (this.#open === 0) handlers.close(this.#closeReason())
    })
  }

  write(chunk: Uint8Array | string): boolean {
    return this.#output.writable ? this.#output.write(chunk) : true
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    process.nextTick(() => this.#deliver())
  }

  end(): void {
    if (this.#output.writable) this.#output.end()
  }

  abort(reason?: PosternError): void {
    if (this.#open === 0 || (this.#input.destroyed && this.#output.destroyed)) return
    this.#reason ??= reason ?? new PosternError('closed', `this side gave up the connection to ${this.#address}`)
    this.#input.destroy()
    this.#output.destroy()
  }

  #deliver(): void {
    while (this.#handlers !== undefined && !this.#paused && !this.#input.destroyed) {
      const chunk = this.#input.read() as Buffer | null
      if (chunk === null) return
      this.#handlers.data(chunk)
    }
  }

  #tellEnd(): void {
    if (!this.#ended || this.#endTold || this.#handlers === undefined) return
    this.#endTold = true
    this.#handlers.end()
  }

  /** One way is broken; what the other side wrote before may still be on its way. */
  #failed(error: unknown): void {
    this.#reason ??= fromNodeError(error, 'exchange bytes with', this.#address)
    if (this.#open > 1) this.#remainder ??= setTimeout(() => this.abort(), remainderMs)
    this.#output.destroy()
  }

  #closed(): void {
    this.#open--
    if (this.#open > 0) return
    clearTimeout(this.#remainder)
    // Before the start nobody is told; the start does.
    this.#handlers?.close(this.#closeReason())
    this.#resolveClosed()
  }

  #closeReason(): PosternError | undefined {
    if (this.#reason !== undefined) return this.#reason
    if (this.#ended && this.#output.writableFinished) return undefined
    return new PosternError('closed', `the connection to ${this.#address} broke off; connect again`)
  }
}
