/**
 * Finds out that a Postern peer is gone where the system does not say so: one that stands still, or that died while
 * nothing was read from it. Runs while there are subscriptions, for who only listens would never notice.
 */

import { PosternError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'

/** What a heartbeat is made of. */
export interface HeartbeatOptions {
  /** `limits.heartbeatMs`: after so long without a byte the peer is asked; 0 is never. */
  readonly heartbeatMs: number
  /** Whether it still matters; when not, the heartbeat stops until it is started again. */
  readonly wanted: () => boolean
  /** Asks for a sign of life: any will do. */
  readonly ask: () => void
  /** Two questions brought none. */
  readonly onDead: () => void
}

/** How many questions may bring no sign. */
const mayMiss = 2

export class Heartbeat {
  readonly #options: HeartbeatOptions
  #timer: NodeJS.Timeout | undefined
  #heard = false
  #missed = 0

  constructor(options: HeartbeatOptions) {
    this.#options = options
  }

  /** Begins, unless it runs. Keeps no process alive. */
  start(): void {
    const { heartbeatMs } = this.#options
    if (heartbeatMs === 0 || this.#timer !== undefined) return
    this.#missed = 0
    this.#timer = setInterval(() => this.#beat(), heartbeatMs).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Something has come from the peer. */
  heard(): void {
    this.#heard = true
  }

  #beat(): void {
    const { ask, onDead, wanted } = this.#options
    if (!wanted()) this.stop()
    else if (this.#heard) {
      this.#heard = false
      this.#missed = 0
    } else if (this.#missed >= mayMiss) {
      this.stop()
      onDead()
    } else {
      this.#missed++
      ask()
    }
  }
}

/** Why a connection is given up whose other side has died without a word. */
export function silenceOf({ address, limits }: { readonly address: string; readonly limits: Limits }): PosternError {
  return new PosternError(
    'closed',
    `${address} gave no sign of life in three times limits.heartbeatMs (${limits.heartbeatMs} ms), though it was asked`,
  )
}
