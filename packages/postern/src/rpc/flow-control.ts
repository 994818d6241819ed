/**
 * How many calls of one connection run, how many wait, and when it is too much.
 *
 * A call that finished while the channel is full keeps its slot, and its value is not encoded, until the channel has
 * room: so what piles up for a peer that does not read is bounded by `maxRunning` values and one full queue.
 */

import type { Limits } from '../core/limits.ts'

interface Waiting<T> {
  readonly item: T
  readonly bytes: number
}

export type Admission = 'run' | 'wait' | 'overloaded'

/** After this many taken from the front the array is cut, so that it cannot grow behind a queue that never empties. */
const compactAt = 512

export class CallSlots<T> {
  readonly #limits: Limits
  #waiting: Waiting<T>[] = []
  #next = 0
  #waitingBytes = 0
  #running = 0

  constructor(limits: Limits) {
    this.#limits = limits
  }

  get running(): number {
    return this.#running
  }

  get idle(): boolean {
    return this.#running === 0 && this.#waiting.length === this.#next
  }

  /** Takes a slot, a place among those that wait, or neither. */
  admit(item: T, bytes: number, mayRun: boolean): Admission {
    const { maxRunning, maxWaiting, maxCallBytes } = this.#limits
    if (mayRun && this.#running < maxRunning && this.#waiting.length === this.#next) {
      this.#running++
      return 'run'
    }
    const full = this.#waiting.length - this.#next >= maxWaiting || this.#waitingBytes + bytes > 2 * maxCallBytes
    if (full) return 'overloaded'
    this.#waiting.push({ item, bytes })
    this.#waitingBytes += bytes
    return 'wait'
  }

  release(): void {
    this.#running--
  }

  /** The next one that may run now, with a slot taken for it. */
  next(): T | undefined {
    if (this.#running >= this.#limits.maxRunning) return undefined
    const waiting = this.#waiting[this.#next]
    if (waiting === undefined) return undefined
    this.#next++
    if (this.#next === this.#waiting.length || this.#next === compactAt) {
      this.#waiting = this.#waiting.slice(this.#next)
      this.#next = 0
    }
    this.#waitingBytes -= waiting.bytes
    this.#running++
    return waiting.item
  }

  /** Forgets all that wait, and returns them. */
  clear(): T[] {
    const items = this.#waiting.slice(this.#next).map(({ item }) => item)
    this.#waiting = []
    this.#next = 0
    this.#waitingBytes = 0
    return items
  }
}
