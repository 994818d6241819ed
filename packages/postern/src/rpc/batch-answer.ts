/**
 * The answers to one batch, in the order of its calls, sent as one frame when the last is there.
 */

import type { Channel, OutgoingFrame } from '../core/channel.ts'
import { PosternError } from '../core/errors.ts'
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
  readonly writeBatch: NonNullable<Protocol['writeBatch']>
  /** `limits.maxBatchAnswerBytes`. */
  readonly maxBytes: number
  /** Sends the frame, at once or later, and then calls `sent`. */
  readonly send: (frame: OutgoingFrame, sent: () => void) => void
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

  /** Puts a written answer in its place. One that would lead over the limit is replaced by an error, once that was told. */
  put(place: number, id: Id, answer: OutgoingFrame, onTooLarge?: () => void): void {
    const { maxBytes, parked, send, writeBatch } = this.#options
    const bytes = typeof answer === 'string' ? Buffer.byteLength(answer) : answer.length
    const fits = this.#bytes + bytes <= maxBytes && parked.bytes + bytes <= 2 * maxBytes
    if (fits) {
      this.#bytes += bytes
      parked.bytes += bytes
    } else onTooLarge?.()
    this.#answers[place] = fits ? answer : this.#tooLarge(id)
    if (--this.#missing === 0) {
      send(writeBatch(this.#answers), () => {
        parked.bytes -= this.#bytes
        for (const run of this.#afterwards) run()
      })
    }
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

interface HeldBatch {
  readonly frame: OutgoingFrame
  readonly sent: () => void
}

/**
 * Batches that are answered while the channel is full. They wait here, since a batch holds no slot; who asks for more
 * than twice `maxBatchAnswerBytes` of them without reading is cut off.
 */
export class HeldBatches {
  readonly #channel: Channel
  readonly #maxBytes: number
  #held: HeldBatch[] = []
  #bytes = 0

  constructor(channel: Channel, maxBatchAnswerBytes: number) {
    this.#channel = channel
    this.#maxBytes = 2 * maxBatchAnswerBytes
  }

  get size(): number {
    return this.#held.length
  }

  /** Sends the answers of a batch, when there is room. */
  send(frame: OutgoingFrame, sent: () => void): void {
    if (!this.#channel.full && this.#held.length === 0) {
      this.#channel.send(frame)
      sent()
      return
    }
    this.#bytes += frame.length
    this.#held.push({ frame, sent })
    if (this.#bytes <= this.#maxBytes) return
    this.#channel.abort(new PosternError('slow_consumer', 'the peer asks in batches and does not read the answers'))
  }

  /** The channel has room again. */
  drained(): void {
    while (this.#held.length > 0 && !this.#channel.full) {
      const [first] = this.#held.splice(0, 1)
      if (first === undefined) return
      this.#bytes -= first.frame.length
      this.#channel.send(first.frame)
      first.sent()
    }
  }

  /** The other side has gone. */
  clear(): void {
    this.#held = []
    this.#bytes = 0
  }
}
