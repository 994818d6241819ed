/**
 * What all connections of one server may have queued together. Above it the one whose peer has read nothing for the
 * longest time is cut, until the rest fits.
 */

/** What the budget has to know of a queue. */
interface BlockedQueue {
  readonly queuedBytes: number
  readonly blockedSinceMs: number
  cut(sentence: string, limit: 'maxQueuedTotalBytes'): void
}

export class QueueBudget {
  readonly #maxBytes: number
  /** The queues that cannot send at the moment, with the bytes that each was last seen to hold. */
  readonly #queues = new Map<BlockedQueue, number>()
  #total = 0

  /** `maxBytes`: `limits.maxQueuedTotalBytes`. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** The queue cannot send and holds this much now. */
  queued(queue: BlockedQueue): void {
    this.#total += queue.queuedBytes - (this.#queues.get(queue) ?? 0)
    this.#queues.set(queue, queue.queuedBytes)
    while (this.#total > this.#maxBytes) {
      const slowest = [...this.#queues.keys()].reduce((a, b) => (b.blockedSinceMs < a.blockedSinceMs ? b : a))
      this.left(slowest)
      slowest.cut('the slowest of all peers was cut: together they exceed', 'maxQueuedTotalBytes')
    }
  }

  /** The queue has sent all it held, or is closed. */
  left(queue: BlockedQueue): void {
    this.#total -= this.#queues.get(queue) ?? 0
    this.#queues.delete(queue)
  }
}
