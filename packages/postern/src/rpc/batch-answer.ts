/**
 * The answers to one batch, in the order of its calls, sent as one frame when the last is there.
 */

import type { OutgoingFrame } from '../core/channel.ts'
import { wireError } from '../protocols/json-rpc-codes.ts'
import { errorAnswer, type Id } from '../protocols/message.ts'
import type { Protocol } from '../protocols/protocol.ts'

/** A sum that the batches of one connection share. */
export interface ParkedBytes {
  bytes: number
}

/** What bounds the answers, and where they go. */
interface BatchAnswerOptions {
  /** What all unfinished batches of the connection hold; together not more than twice `maxBytes`. */
  readonly parked: ParkedBytes
  readonly protocol: Protocol
  /** `limits.maxBatchAnswerBytes`. */
  readonly maxBytes: number
  readonly send: (frame: OutgoingFrame) => void
}

export class BatchAnswer {
  readonly #options: BatchAnswerOptions
  readonly #answers: OutgoingFrame[] = []
  readonly #afterwards: (() => void)[] = []
  #missing = 0
  #bytes = 0

  constructor(options: BatchAnswerOptions) {
    this.#options = options
  }

  /** Makes a place for one answer. All places are made before the first answer is put. */
  reserve(): number {
    this.#missing++
    return this.#answers.push('') - 1
  }

  /** Puts a written answer in its place. One that would lead over the limit is replaced by an error. */
  put(place: number, id: Id, answer: OutgoingFrame): void {
    const { protocol, maxBytes, parked, send } = this.#options
    const bytes = typeof answer === 'string' ? Buffer.byteLength(answer) : answer.length
    const fits = this.#bytes + bytes <= maxBytes && parked.bytes + bytes <= 2 * maxBytes
    if (fits) {
      this.#bytes += bytes
      parked.bytes += bytes
    }
    this.#answers[place] = fits ? answer : this.#tooLarge(id)
    if (--this.#missing > 0) return
    parked.bytes -= this.#bytes
    send(protocol.writeBatch(this.#answers))
    for (const run of this.#afterwards) run()
  }

  /** Runs a function once the answers have been sent; to be said before the answer is put. */
  afterwards(run: () => void): void {
    this.#afterwards.push(run)
  }

  #tooLarge(id: Id): OutgoingFrame {
    const { protocol, maxBytes } = this.#options
    const message = `the answers of this batch exceed limits.maxBatchAnswerBytes (${maxBytes}); ask in smaller batches`
    return protocol.write(errorAnswer(id, wireError('limit_exceeded', message)))
  }
}
