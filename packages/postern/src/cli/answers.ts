/**
 * stdout, which holds answers and nothing else. Who closes it, as `head` does, has had enough: that is no failure.
 */

import { PosternError } from '../core/errors.ts'

/** What a stream says when its reader has gone. */
const closedCodes: ReadonlySet<string> = new Set(['EPIPE', 'ERR_STREAM_DESTROYED', 'ECONNRESET'])

export class Answers {
  readonly #stream: NodeJS.WriteStream
  readonly #ended = new AbortController()
  #failure: NodeJS.ErrnoException | undefined
  #onRoom: (() => void) | undefined

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
    stream.on('drain', () => this.#onRoom?.())
    stream.on('error', (error) => this.#end(error))
  }

  /** Aborts when nothing more can be written. */
  get ended(): AbortSignal {
    return this.#ended.signal
  }

  /** Writes, and resolves when there is room for more. Drops the chunk once nothing more can be written. */
  async write(chunk: string | Uint8Array): Promise<void> {
    if (this.ended.aborted || this.#stream.write(chunk)) return
    await new Promise<void>((resolve) => {
      this.#onRoom = resolve
    })
  }

  /** Resolves when all that was written has left the process, or its reader has gone; rejects when it cannot be written. */
  async flush(): Promise<void> {
    if (!this.ended.aborted) await new Promise((resolve) => this.#stream.write('', resolve))
    const { code, message } = this.#failure ?? {}
    if (message === undefined || (code !== undefined && closedCodes.has(code))) return
    throw new PosternError('internal', `cannot write the answer to stdout: ${message}`, { cause: this.#failure })
  }

  #end(error: NodeJS.ErrnoException): void {
    this.#failure ??= error
    this.#ended.abort(error)
    this.#onRoom?.()
  }
}
