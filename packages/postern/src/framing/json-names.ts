/**
 * The names of members in one JSON value, as a scanner comes upon them: the bytes may be cut anywhere, within a name
 * and between a name and its colon.
 */

import { NameCount, tellingBytes } from './name-count.ts'

const nothing = Buffer.alloc(0)
/** Of more it need only be known that it is more. */
const mostCarried = tellingBytes + 1

/** The last string: a name as soon as a colon follows, and then none any more. */
export const Text = { none: 0, begunBefore: 1, begunHere: 2 } as const
export type TextState = (typeof Text)[keyof typeof Text]

export class JsonNames {
  readonly #count: NameCount
  #text: TextState = Text.none
  /** As much as was in chunks before this one of the last string, in so many bytes. */
  #carried: Buffer = nothing
  #carriedBytes = 0

  constructor(maxNames: number) {
    this.#count = new NameCount(maxNames)
  }

  /** What the chunks before this one ended with. */
  get text(): TextState {
    return this.#text
  }

  /** A container opens. */
  open(): void {
    this.#count.open()
  }

  /** The container that was opened last is over. Throws `limit_exceeded`. */
  close(): void {
    this.#count.close()
  }

  /**
   * A colon comes behind a string, of which this chunk has the bytes from `start` up to `end`. Returns how many members
   * its container has so far; 0 where this is none.
   */
  add(text: TextState, chunk: Buffer, start: number, end: number): number {
    if (text === Text.begunHere) return this.#count.add(chunk, start, end)
    if (text === Text.none) return 0
    this.#keep(chunk, start, end)
    return this.#count.add(this.#carried, 0, this.#carriedBytes)
  }

  /** The chunk is over: of the string as much is kept as may tell it from other names. */
  carry(text: TextState, chunk: Buffer, start: number, end: number): void {
    this.#text = text === Text.none ? Text.none : Text.begunBefore
    if (text === Text.begunHere) this.#carriedBytes = 0
    if (text !== Text.none) this.#keep(chunk, start, end)
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    const had = this.#carriedBytes
    const wanted = Math.min(end - start, mostCarried - had)
    if (wanted <= 0) return
    if (had + wanted > this.#carried.length) {
      const larger = Buffer.allocUnsafe(2 * (had + wanted))
      this.#carried.copy(larger, 0, 0, had)
      this.#carried = larger
    }
    this.#carriedBytes += chunk.copy(this.#carried, had, start, start + wanted)
  }
}
