/** Reads the large messages of one writer, and has it killed at a moment that what arrives decides. */

import { onTestFinished } from 'vitest'
import type { PosternError } from '../../src/core/errors.ts'
import { resolveLimits } from '../../src/core/limits.ts'
import type { Stream } from '../../src/core/stream.ts'
import { framedChannel } from '../../src/framing/framed-channel.ts'
import { lengthPrefix } from '../../src/framing/length-prefix.ts'
import type { SeededRandom } from '../../src/testing/seeded-random.ts'
import { faultOf, headerBytes, lengthOf } from '../programs/large-messages.ts'

/** When a writer is killed. */
type Moment =
  /** When that share of a message has arrived. The ring holds more of it, but its last byte is not written yet. */
  | { readonly kind: 'inside'; readonly message: number; readonly share: number }
  /** Shortly after a message has arrived. */
  | { readonly kind: 'behind'; readonly message: number; readonly spinMs: number }
  | { readonly kind: 'sometime'; readonly waitMs: number }

/** More than a ring and a chunk hold: the writer is not further ahead of its reader. */
const aheadBytes = 384 * 1024

/** At least half of the moments, in their order, are inside a message. */
export function someMoment(index: number, random: SeededRandom): Moment {
  if (index % 4 === 2) return { kind: 'sometime', waitMs: random.fraction() * 50 }
  const message = random.below(3)
  if (index % 4 === 3) return { kind: 'behind', message, spinMs: random.fraction() * 5 }
  return { kind: 'inside', message, share: random.fraction() }
}

/** How far a writer came: that many bytes behind the last whole message. */
export interface Landing {
  readonly bytes: number
  /** The length of the message that they begin; undefined before its header has come. */
  readonly of: number | undefined
}

const betweenMessages: Landing = { bytes: 0, of: undefined }

interface ReaderOptions {
  readonly side: 'server' | 'client'
  readonly moment: Moment
  /** Kills the writer. */
  readonly strike: () => void
}

export class StruckWriter {
  /** Whole messages that came. */
  delivered = 0
  /** What must not have happened. */
  readonly faults: string[] = []
  landing: Landing = betweenMessages
  readonly struck: Promise<void>
  /** Resolves with the reason, and when it came. */
  readonly closed: Promise<{ readonly reason: PosternError | undefined; readonly atMs: number }>
  readonly #moment: Moment
  /** Strikes within this tick, so that nothing here can make the moment tamer; later calls do nothing. */
  #strike: () => void = () => undefined

  constructor(stream: Stream, { side, moment, strike }: ReaderOptions) {
    this.#moment = moment
    this.struck = new Promise((resolve) => {
      this.#strike = () => {
        this.#strike = () => undefined
        strike()
        resolve()
      }
    })
    const channel = framedChannel(stream, lengthPrefix, { side, limits: resolveLimits() })
    onTestFinished(() => channel.abort())
    this.closed = new Promise((resolve) => {
      channel.start({
        frame: ({ bytes }) => this.#message(bytes),
        progress: (head, bytes) => this.#progress(head, bytes),
        fault: (error) => this.faults.push(error.message),
        drain: () => undefined,
        end: () => this.faults.push('it ended in order'),
        close: (reason) => resolve({ reason, atMs: performance.now() }),
      })
    })
    if (moment.kind === 'sometime') setTimeout(() => this.#strike(), moment.waitMs)
  }

  #message(bytes: Buffer): void {
    const fault = faultOf(bytes, this.delivered)
    if (fault !== undefined) this.faults.push(fault)
    this.landing = betweenMessages
    const moment = this.#moment
    if (moment.kind === 'behind' && moment.message === this.delivered) {
      const end = performance.now() + moment.spinMs
      while (performance.now() < end);
      this.#strike()
    }
    this.delivered++
  }

  #progress(head: Uint8Array, bytes: number): void {
    const of = bytes < headerBytes ? undefined : lengthOf(head)
    this.landing = { bytes, of }
    const moment = this.#moment
    if (moment.kind !== 'inside' || moment.message !== this.delivered || of === undefined) return
    if (bytes >= moment.share * (of - aheadBytes)) this.#strike()
  }
}
