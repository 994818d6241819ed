/**
 * Finds calls by their ids, for tables through which millions pass.
 *
 * Not a `Map`: V8 makes a new backing store every few deletions, an old one keeps all it ever held alive, and those
 * that grow old keep the young ones alive in turn. Measured with 64 calls in flight: a fifth of the time went to the
 * garbage collector. Here the entries are chained through themselves, and nothing is allocated as they come and go.
 */

import type { Id } from '../protocols/message.ts'

/** What stands in a table; `nextInTable` belongs to the table. */
export interface TableEntry<T> {
  readonly id: Id
  nextInTable: T | undefined
}

/** The first entry needs none: a server has tables for each idle connection, which seldom had two calls at once. */
const grownBuckets = 8

export class IdTable<T extends TableEntry<T>> {
  #buckets: (T | undefined)[] = [undefined]
  #size = 0

  get size(): number {
    return this.#size
  }

  get(id: Id): T | undefined {
    let entry = this.#buckets[this.#bucketOf(id)]
    while (entry !== undefined && entry.id !== id) entry = entry.nextInTable
    return entry
  }

  /** Adds an entry whose id is not in the table. */
  add(entry: T): void {
    if (this.#size >= this.#buckets.length) this.#grow()
    this.#size++
    this.#put(entry)
  }

  /** Takes the entry out; false when it is not in the table. */
  remove(entry: T): boolean {
    const bucket = this.#bucketOf(entry.id)
    let before: T | undefined
    let at = this.#buckets[bucket]
    while (at !== undefined && at !== entry) {
      before = at
      at = at.nextInTable
    }
    if (at === undefined) return false
    if (before === undefined) this.#buckets[bucket] = entry.nextInTable
    else before.nextInTable = entry.nextInTable
    entry.nextInTable = undefined
    this.#size--
    return true
  }

  /** All entries as they are now, in no order. */
  entries(): T[] {
    const all: T[] = []
    for (const first of this.#buckets)
      for (let entry = first; entry !== undefined; entry = entry.nextInTable) all.push(entry)
    return all
  }

  #put(entry: T): void {
    const bucket = this.#bucketOf(entry.id)
    entry.nextInTable = this.#buckets[bucket]
    this.#buckets[bucket] = entry
  }

  #bucketOf(id: Id): number {
    return hash(id) & (this.#buckets.length - 1)
  }

  #grow(): void {
    const entries = this.entries()
    this.#buckets = new Array<T | undefined>(Math.max(grownBuckets, this.#buckets.length * 4)).fill(undefined)
    for (const entry of entries) this.#put(entry)
  }
}

function hash(id: Id): number {
  if (typeof id === 'number') return id | 0
  if (id === null) return 0
  let mixed = id.length
  for (let index = Math.max(0, id.length - 16); index < id.length; index++)
    mixed = (mixed * 31 + id.charCodeAt(index)) | 0
  return mixed
}
