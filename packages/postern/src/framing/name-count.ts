/**
 * The names of members in one frame, counted before anything is made of them: each once for the names before it in its
 * object. V8 makes a hidden class for each of these, so that a member where there was none like it takes some thirty times
 * as long as others do (`limits.maxNames`).
 */

import { overLimit } from './framing.ts'

/** Chosen anew by each process, so that no peer knows which names would be taken for one another; odd. */
const multiplier: number = Math.floor(Math.random() * 2 ** 32) | 1

/** Stands for the names before the first one of an object. */
export const noNames = 1

/** What is behind these bytes of a name does not tell it from another: that many names do not fit into a frame. */
export const tellingBytes = 4_096

/** Places for names that are kept from one frame to the next: a power of two. */
const fewPlaces = 64

/** Counts the names of one frame, and after `reset` those of the next one. */
export class NameCount {
  readonly #most: number
  #size = 0
  /** A hash table: 0 is a free place, a number stands for a name behind others. At least half of it is free. */
  #places = new Int32Array(0)

  constructor(maxNames: number) {
    this.#most = maxNames
  }

  /**
   * Counts the name that is spelt by the bytes from `start` up to `end`, behind the names `before`; returns what stands
   * for both. Throws `limit_exceeded`.
   */
  add(before: number, bytes: Uint8Array, start: number, end: number): number {
    if (2 * this.#size >= this.#places.length) this.#grow()
    const names = mixed(before, bytes, start, Math.min(end, start + tellingBytes))
    const places = this.#places
    const mask = places.length - 1
    let place = names & mask
    for (let there = places[place]; there !== names; there = places[place]) {
      if (there === 0) {
        places[place] = names
        this.#count()
        break
      }
      place = (place + 1) & mask
    }
    return names
  }

  reset(): void {
    if (this.#size === 0) return
    this.#size = 0
    if (this.#places.length > fewPlaces) this.#places = new Int32Array(fewPlaces)
    else this.#places.fill(0)
  }

  #count(): void {
    this.#size++
    if (this.#size <= this.#most) return
    const what = `more than ${this.#most} names of members, each counted once for the names before it`
    throw overLimit('maxNames', this.#most, what)
  }

  #grow(): void {
    const old = this.#places
    const places = new Int32Array(Math.max(fewPlaces, 4 * old.length))
    const mask = places.length - 1
    for (const names of old) {
      if (names === 0) continue
      let place = names & mask
      while (places[place] !== 0) place = (place + 1) & mask
      places[place] = names
    }
    this.#places = places
  }
}

/** A hash of these bytes and of what comes before them; never 0. */
function mixed(before: number, bytes: Uint8Array, start: number, end: number): number {
  let hash = before
  for (let index = start; index < end; index++) hash = (Math.imul(hash, multiplier) + (bytes[index] as number)) | 0
  // Two names are not the one that they make together; and places are taken by the low bits.
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b)
  return hash ^ (hash >>> 13) || noNames
}
