/**
 * Frames with numbers that a double cannot hold: an answer is given as its caller wants it, a call is refused.
 */

import type { Integers } from '../codecs/codec.ts'
import type { PosternError } from '../core/errors.ts'
import type { Frame } from '../core/frame.ts'
import type { Limits } from '../core/limits.ts'
import { wireError } from '../protocols/json-rpc-codes.ts'
import { type Batch, type ErrorMessage, errorAnswer, type Incoming } from '../protocols/message.ts'
import type { Protocol } from '../protocols/protocol.ts'
import type { Calling } from './calling.ts'

/** What is needed of the session. */
export interface InexactFramesOptions {
  readonly address: string
  readonly protocol: Protocol
  readonly limits: Limits
  /** How unsafe whole numbers in answers are given. */
  readonly integers: Integers
  readonly calling: Calling
  readonly say: (answer: ErrorMessage) => void
  /** Takes what is no message, with the answer that it deserves. */
  readonly invalid: (answer: ErrorMessage) => void
  readonly onError: (error: unknown, context: string) => void
}

export class InexactFrames {
  readonly #options: InexactFramesOptions

  constructor(options: InexactFramesOptions) {
    this.#options = options
  }

  /** `error` says which number it was. */
  take(frame: Frame, error: PosternError): void {
    const { address, calling, invalid, limits, onError, protocol, say } = this.#options
    let rounded: Incoming
    try {
      rounded = protocol.read(frame, { limits, integers: 'number' })
    } catch {
      // Beyond any number: whose it is can still be seen from its beginning.
      const peeked = protocol.peek(frame.bytes)
      if (peeked?.kind === 'answer') calling.refuse(peeked.id, error)
      else if (peeked === undefined) invalid(errorAnswer(null, wireError('invalid_params', error.sentence)))
      else say(errorAnswer(peeked.id, wireError('invalid_params', error.sentence)))
      return
    }
    switch (rounded.kind) {
      case 'call':
        say(errorAnswer(rounded.id, wireError('invalid_params', error.sentence)))
        return
      case 'note':
        if (!this.#exactNotice(frame)) onError(error, address)
        return
      case 'result':
      case 'error':
        this.#exactAnswers(frame, [rounded])
        return
      case 'batch':
        this.#inexactBatch(frame, rounded, error)
        return
      case 'invalid':
        invalid(rounded.answer)
    }
  }

  /** Of a batch the answers are given as their callers want them, and every call is refused. */
  #inexactBatch(frame: Frame, { messages }: Batch, error: PosternError): void {
    const { say } = this.#options
    this.#exactAnswers(frame, messages)
    for (const message of messages) {
      if (message.kind === 'call') say(errorAnswer(message.id, wireError('invalid_params', error.sentence)))
    }
  }

  /** Reads answers once more as their callers want them; those of which that cannot be done fail. */
  #exactAnswers(frame: Frame, rounded: Batch['messages']): void {
    const { calling, integers, limits, protocol } = this.#options
    try {
      const exact = protocol.read(frame, { limits, integers })
      for (const message of exact.kind === 'batch' ? exact.messages : [exact]) {
        if (message.kind === 'result' || message.kind === 'error') calling.answer(message, frame.length)
      }
    } catch (unreadable) {
      for (const message of rounded) {
        if (message.kind === 'result' || message.kind === 'error')
          calling.refuse(message.id, unreadable as PosternError)
      }
    }
  }

  /** An item of a subscription is given as answers are; false for a note that is none. */
  #exactNotice(frame: Frame): boolean {
    const { calling, integers, limits, protocol } = this.#options
    try {
      const note = protocol.read(frame, { limits, integers })
      return note.kind === 'note' && calling.notice(note)
    } catch {
      return false
    }
  }
}
