/**
 * How much of a long answer has arrived, on a terminal, in a line that is gone when the answer is there.
 */

import { nowMs } from '../core/deadline.ts'

/** Nothing is shown of an answer that comes within this time. */
const quietMs = 300

const refreshMs = 100

const eraseLine = '\r\u001b[2K'

const signals = ['SIGINT', 'SIGTERM'] as const

/** One answer on its way. */
export class Progress {
  readonly #stream: NodeJS.WriteStream
  readonly #startMs = nowMs()
  readonly #timer: NodeJS.Timeout
  #bytes = 0
  #shown = false

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
    this.#timer = setInterval(() => this.#show(), refreshMs).unref()
  }

  /** So many bytes have arrived. Cheap: it is called with every chunk. */
  update(bytes: number): void {
    this.#bytes = bytes
  }

  /** Takes the line back. Idempotent. */
  stop(): void {
    clearInterval(this.#timer)
    if (!this.#shown) return
    this.#shown = false
    this.#stream.write(eraseLine)
    for (const signal of signals) process.off(signal, this.#dieCleanly)
  }

  #show(): void {
    if (this.#bytes === 0 || nowMs() - this.#startMs < quietMs) return
    if (!this.#shown) for (const signal of signals) process.on(signal, this.#dieCleanly)
    this.#shown = true
    this.#stream.write(`${eraseLine}${(this.#bytes / 1_000_000).toFixed(1)} MB received`)
  }

  readonly #dieCleanly = (signal: NodeJS.Signals): void => {
    this.stop()
    process.kill(process.pid, signal)
  }
}
