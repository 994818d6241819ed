/**
 * What a binary frame makes of its bytes in memory, counted against `maxContainers` before any of it is made.
 */

import { overLimit } from './framing.ts'
import { mostClassed } from './name-count.ts'

/** Counts one frame. */
export class ContainerCount {
  readonly #most: number
  #total = 0

  constructor(maxContainers: number) {
    this.#most = maxContainers
  }

  /** Whether nothing was counted yet. */
  get isEmpty(): boolean {
    return this.#total === 0
  }

  /** Counts an array, a byte string or a date: whatever has an object of its own. */
  add(): void {
    this.#add(1)
  }

  /** Counts a map, and its members where they are many. */
  addMap(members: number): void {
    this.#add(members > mostClassed ? 1 + members : 1)
  }

  reset(): void {
    this.#total = 0
  }

  #add(count: number): void {
    this.#total += count
    if (this.#total <= this.#most) return
    const what = `more than ${this.#most} objects, arrays, byte strings and members of large objects`
    throw overLimit('maxContainers', this.#most, what)
  }
}
