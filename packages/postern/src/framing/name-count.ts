/**
 * What the names of members in one frame cost the engine, counted before anything is made of them. V8 makes a hidden
 * class for each name behind those before it, and `JSON.parse` another one for each number of members: a member where
 * there was none like it takes some thirty times as long as others do (`limits.maxNames`).
 *
 * Objects of very many members become hash tables, without classes; they count as containers instead. Names that are
 * the indices of an array make no class either.
 */

import { overLimit } from './framing.ts'

/** V8 keeps an object of more members as a hash table, in which each takes as much as a small object. */
export const mostClassed = 127

/** A longer name is taken for one that was not there before; few fit into a frame. */
export const tellingBytes = 4_096

/** Places for classes at first: a power of two. */
const fewPlaces = 64

/** A random number of this process, so that no peer knows which names would be taken for one another. */
let seed: number | undefined

/** Counts the names of one frame. */
export class NameCount {
  readonly #most: number
  #size = 0
  /** A hash table: 0 is a free place, a number stands for a class. At least half of it is free. */
  #places = new Int32Array(0)
  /** What stands for each name with those before it, in every container that is open: `mostClassed` for each. */
  #paths = new Int32Array(0)
  /** How many of these, and how many members there are, in the containers around the present one. */
  readonly #lengths: number[] = []
  readonly #members: number[] = []
  /** In the present one. */
  #length = 0
  #memberCount = 0
  /** Where the present container's paths begin. */
  #first = 0
  /** What stands for the names so far. */
  #path = 0
  #longNames = 0

  constructor(maxNames: number) {
    this.#most = maxNames
  }

  /** A container opens. */
  open(): void {
    this.#lengths.push(this.#length)
    this.#members.push(this.#memberCount)
    this.#length = 0
    this.#memberCount = 0
    this.#first += mostClassed
    if (this.#first + mostClassed > this.#paths.length) this.#deepen(this.#first + mostClassed)
    this.#path = seed ??= randomNumber()
  }

  /**
   * A member of the container that was opened last is called as the bytes from `start` up to `end` spell. Returns how
   * many members the container has so far.
   */
  add(bytes: Uint8Array, start: number, end: number): number {
    const members = ++this.#memberCount
    if (members > mostClassed) return members
    const initial = bytes[start] as number
    if (initial <= 0x39 && initial >= 0x30 && isIndex(bytes, start, end)) return members
    const length = end - start
    this.#path = length > tellingBytes ? joined(this.#path, ++this.#longNames) : spelt(this.#path, bytes, start, end)
    this.#paths[this.#first + this.#length++] = this.#path
    return members
  }

  /** That container is over: now it is known what it was. Throws `limit_exceeded`. */
  close(): void {
    const length = this.#length
    // Where there was one like it in all its names, there was one like it in the names before the last.
    if (this.#memberCount <= mostClassed) {
      for (let index = this.#first + length - 1; index >= this.#first; index--) {
        if (this.#knows(joined(this.#paths[index] as number, length))) break
      }
    }
    this.#first -= mostClassed
    this.#length = this.#lengths.pop() ?? 0
    this.#memberCount = this.#members.pop() ?? 0
    this.#path = this.#length === 0 ? (seed ?? 0) : (this.#paths[this.#first + this.#length - 1] as number)
  }

  /** Whether this class was there before; counts it otherwise. */
  #knows(found: number): boolean {
    if (2 * this.#size >= this.#places.length) this.#grow()
    const places = this.#places
    const mask = places.length - 1
    let place = found & mask
    for (let there = places[place]; there !== found; there = places[place]) {
      if (there === 0) {
        places[place] = found
        if (++this.#size > this.#most)
          throw overLimit('maxNames', this.#most, `more than ${this.#most} different names`)
        return false
      }
      place = (place + 1) & mask
    }
    return true
  }

  #grow(): void {
    const old = this.#places
    const places = new Int32Array(Math.max(fewPlaces, 4 * old.length))
    const mask = places.length - 1
    for (const found of old) {
      if (found === 0) continue
      let place = found & mask
      while (places[place] !== 0) place = (place + 1) & mask
      places[place] = found
    }
    this.#places = places
  }

  #deepen(wanted: number): void {
    const paths = new Int32Array(2 * wanted)
    paths.set(this.#paths)
    this.#paths = paths
  }
}

function randomNumber(): number {
  return crypto.getRandomValues(new Int32Array(1))[0] as number
}

/** A hash of these bytes and of what comes before them. */
function spelt(before: number, bytes: Uint8Array, start: number, end: number): number {
  // With the length, so that two names are not the one that they make together.
  let hash = before ^ Math.imul(end - start, 0x85ebca6b)
  for (let index = start; index < end; index++) hash = mixed(hash ^ (bytes[index] as number))
  return hash
}

function mixed(hash: number): number {
  const product = Math.imul(hash, 0x9e3779b1)
  return product ^ (product >>> 15)
}

/** A hash of both; never 0. */
function joined(hash: number, other: number): number {
  let both = Math.imul(hash ^ Math.imul(other, 0x85ebca6b), 0xc2b2ae35)
  both ^= both >>> 16
  both = Math.imul(both, 0x27d4eb2f)
  return both ^ (both >>> 15) || 1
}

/** All numbers of so many digits are indices; beyond 2^32 - 2 they are names as others are. */
const mostIndexDigits = 9

/** Whether a name that is not empty is the index of an array, as it is written: 0, or digits that do not begin with 0. */
function isIndex(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start
  if (length > mostIndexDigits) return false
  if (bytes[start] === 0x30) return length === 1
  for (let index = start; index < end; index++) {
    const byte = bytes[index] as number
    if (byte < 0x30 || byte > 0x39) return false
  }
  return true
}
