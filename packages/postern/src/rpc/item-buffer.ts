/**
 * Items of one subscription between the wire and the loop that consumes them: bounded, in order, ended once.
 */

/** Told when the buffer is over its limit, so that the subscription can be given up. */
export interface ItemBufferOptions {
  readonly maxItems: number
  readonly overflow: () => Error
}

interface Waiter {
  readonly resolve: (result: IteratorResult<unknown, undefined>) => void
  readonly reject: (error: Error) => void
}

/** Something to be done when the consumer has come so far. */
class Mark {
  readonly reached: () => void

  constructor(reached: () => void) {
    this.reached = reached
  }
}

export class ItemBuffer {
  readonly #options: ItemBufferOptions
  #items: unknown[] = []
  #next = 0
  #waiters: Waiter[] = []
  #ended = false
  #error: Error | undefined

  constructor(options: ItemBufferOptions) {
    this.#options = options
  }

  /** Whether all that came has been taken. */
  get drained(): boolean {
    return this.#next === this.#items.length
  }

  /** Whether somebody waits for the next item. */
  get awaited(): boolean {
    return this.#waiters.length > 0
  }

  push(item: unknown): void {
    if (this.#ended) return
    const waiter = this.#waiters.shift()
    if (waiter !== undefined) waiter.resolve({ done: false, value: item })
    else if (this.#items.length - this.#next >= this.#options.maxItems) this.end(this.#options.overflow())
    else this.#items.push(item)
  }

  /** Runs a function when all items before it have been taken and the next one is asked for. */
  mark(reached: () => void): void {
    if (this.#ended) return
    if (this.drained && this.awaited) reached()
    else this.#items.push(new Mark(reached))
  }

  /** No more items come. What is buffered is still delivered, then the error if there is one. */
  end(error?: Error): void {
    if (this.#ended) return
    this.#ended = true
    this.#error = error
    for (const waiter of this.#waiters.splice(0)) this.#settleEnd(waiter)
  }

  /** Drops what is buffered and ends without an error: the consumer has had enough. */
  discard(): void {
    this.#items = []
    this.#next = 0
    this.#error = undefined
    this.end()
  }

  take(): Promise<IteratorResult<unknown, undefined>> {
    return new Promise((resolve, reject) => {
      while (this.#next < this.#items.length) {
        const value = this.#shift()
        if (!(value instanceof Mark)) {
          resolve({ done: false, value })
          return
        }
        value.reached()
      }
      if (this.#ended) this.#settleEnd({ resolve, reject })
      else this.#waiters.push({ resolve, reject })
    })
  }

  #shift(): unknown {
    const value = this.#items[this.#next++]
    if (this.#next === this.#items.length || this.#next >= this.#options.maxItems) {
      this.#items = this.#items.slice(this.#next)
      this.#next = 0
    }
    return value
  }

  /** The error is told once; after it the iteration is simply over. */
  #settleEnd({ resolve, reject }: Waiter): void {
    const error = this.#error
    this.#error = undefined
    if (error === undefined) resolve({ done: true, value: undefined })
    else reject(error)
  }
}
