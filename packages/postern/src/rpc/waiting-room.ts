/**
 * What a caller wants to send while the channel is full: values, not bytes, so that nothing is held twice.
 */

import type { Channel } from '../core/channel.ts'

/** Something to be sent when the channel has room. */
export interface Waiting {
  /** Whether it is still wanted. */
  readonly wanted: () => boolean
  readonly send: () => void
}

/** Those that are no longer wanted are looked for when so many have come since the last time. */
const pruneEvery = 256

export class WaitingRoom {
  readonly #channel: Channel
  #waiting: Waiting[] = []
  #sincePruned = 0

  constructor(channel: Channel) {
    this.#channel = channel
  }

  get size(): number {
    return this.#waiting.length
  }

  /** Whether something can be sent at once, which then must be. */
  get hasRoom(): boolean {
    return this.#waiting.length === 0 && !this.#channel.full
  }

  add(waiting: Waiting): void {
    this.#waiting.push(waiting)
    if (++this.#sincePruned >= pruneEvery) this.prune()
  }

  /** Lets go of what is no longer wanted, so that calls which timed out do not keep their params alive. */
  prune(): void {
    this.#sincePruned = 0
    this.#waiting = this.#waiting.filter(({ wanted }) => wanted())
  }

  /** The channel has room again. */
  drained(): void {
    let sent = 0
    while (sent < this.#waiting.length && !this.#channel.full) {
      const next = this.#waiting[sent++]
      if (next?.wanted() === true) next.send()
    }
    this.#waiting.splice(0, sent)
  }

  /** Asks each once more whether it is wanted, and forgets all. */
  clear(): void {
    for (const { wanted } of this.#waiting.splice(0)) wanted()
  }
}
