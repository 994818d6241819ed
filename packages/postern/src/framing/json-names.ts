/**
 * The names of members in one JSON value, as a scanner comes upon them: the bytes may be cut anywhere, within a name and
 * between a name and its colon.
 */

import { NameCount, noNames, tellingBytes } from './name-count.ts'

const nothing = Buffer.alloc(0)

export class JsonNames {
  readonly #count: NameCount
  /** What stands for the names before the next one, in the container at each depth. */
  readonly #before: number[] = []
  /** Of the last string what chunks before this one had, in so many bytes: it may be a name. */
  #carried: Buffer = nothing
  #carriedBytes = 0

  constructor(maxNames: number) {
    this.#count = new NameCount(maxNames)
  }

  /** A container opens, at this depth. */
  open(depth: number): void {
    this.#before[depth] = noNames
  }

  /** A string begins in this chunk. */
  begin(): void {
    this.#carriedBytes = 0
  }

  /** The last string, of which this chunk has the bytes from `start` up to `end`, was a name. Throws `limit_exceeded`. */
  add(chunk: Buffer, start: number, end: number, depth: number): void {
    const before = this.#before[depth] ?? noNames
    if (this.#carriedBytes === 0) this.#before[depth] = this.#count.add(before, chunk, start, end)
    else {
      this.carry(chunk, start, end)
      this.#before[depth] = this.#count.add(before, this.#carried, 0, this.#carriedBytes)
    }
  }

  /** The chunk is over: of the last string as much is kept as may tell it from other names. */
  carry(chunk: Buffer, start: number, end: number): void {
    const had = this.#carriedBytes
    const wanted = Math.min(end - start, tellingBytes - had)
    if (wanted <= 0) return
    if (had + wanted > this.#carried.length) {
      const larger = Buffer.allocUnsafe(2 * (had + wanted))
      this.#carried.copy(larger, 0, 0, had)
      this.#carried = larger
    }
    this.#carriedBytes += chunk.copy(this.#carried, had, start, start + wanted)
  }

  /** The value is over. */
  reset(): void {
    this.#carried = nothing
    this.#carriedBytes = 0
    this.#count.reset()
  }
}
