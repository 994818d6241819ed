/**
 * The answers to one batch, in the order of its calls, sent as one frame when the last is there.
 */

import type { Limits } from '../core/limits.ts'
import { errorAnswer, joinJsonRpcBatch, writeJsonRpc } from '../protocols/json-rpc.ts'
import { wireError } from '../protocols/json-rpc-codes.ts'
import type { Id } from '../protocols/message.ts'

export class BatchAnswer {
  readonly #maxBytes: number
  readonly #send: (text: string) => void
  readonly #answers: string[] = []
  #missing = 0
  #bytes = 0

  constructor(limits: Limits, send: (text: string) => void) {
    this.#maxBytes = limits.maxBatchAnswerBytes
    this.#send = send
  }

  /** Makes a place for one answer. All places are made before the first answer is put. */
  reserve(): number {
    this.#missing++
    return this.#answers.push('') - 1
  }

  /** Puts an encoded answer in its place. One that would lead over the limit is replaced by an error. */
  put(place: number, id: Id, text: string): void {
    this.#bytes += text.length
    this.#answers[place] = this.#bytes > this.#maxBytes ? this.#tooLarge(id, text) : text
    if (--this.#missing === 0) this.#send(joinJsonRpcBatch(this.#answers))
  }

  #tooLarge(id: Id, text: string): string {
    this.#bytes -= text.length
    const message = `the answers of this batch exceed limits.maxBatchAnswerBytes (${this.#maxBytes}); ask in smaller batches`
    return JSON.stringify(writeJsonRpc(errorAnswer(id, wireError('limit_exceeded', message))))
  }
}
