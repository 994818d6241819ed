/**
 * Subscriptions in the shape that Ethereum nodes use, at the side that subscribed.
 *
 * ```
 * --> {"id":1,"method":"eth_subscribe","params":["newHeads"]}
 * <-- {"id":1,"result":"0xcd0c..."}
 * <-- {"method":"eth_subscription","params":{"subscription":"0xcd0c...","result":{...}}}
 * ```
 *
 * Items may come before the answer that names their subscription; they are kept while one is on its way.
 */

import { PosternError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'
import { errorFromWire } from '../protocols/json-rpc-codes.ts'
import { readWireError, type WireError } from '../protocols/message.ts'
import { ItemBuffer } from './item-buffer.ts'

/** How a server names a subscription. */
export type SubscriptionId = string | number

interface Notice {
  readonly subscription: SubscriptionId
  readonly result?: unknown
  readonly error?: WireError
  readonly done?: boolean
}

/** What an incoming note says of a subscription, or undefined when it is another kind of note. */
export function readNotice(params: unknown): Notice | undefined {
  if (typeof params !== 'object' || params === null || Array.isArray(params)) return undefined
  const { subscription, result, error, done } = params as Readonly<Record<string, unknown>>
  if (typeof subscription !== 'string' && typeof subscription !== 'number') return undefined
  if (error !== undefined && error !== null) return { subscription, error: readWireError(error) }
  return done === true ? { subscription, done } : { subscription, result }
}

export class Subscriptions {
  readonly #limits: Limits
  readonly #buffers = new Map<SubscriptionId, ItemBuffer>()
  /** Subscribe calls without an answer yet, and what came for ids that nobody knows while there were any. */
  #expected = 0
  #early: Notice[] = []

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** Makes room for one more subscription, whose call is about to be sent. */
  expect(): void {
    const { maxSubscriptions } = this.#limits
    if (this.#buffers.size + this.#expected >= maxSubscriptions) {
      throw new PosternError(
        'limit_exceeded',
        `more subscriptions than limits.maxSubscriptions (${maxSubscriptions})`,
        {
          details: { limit: 'maxSubscriptions', value: maxSubscriptions },
        },
      )
    }
    this.#expected++
  }

  /**
   * The call was answered with this id: items go to the buffer from here on, those that came early first. False when
   * the id is that of another subscription.
   */
  open(id: SubscriptionId, buffer: ItemBuffer): boolean {
    const early = this.#early
    this.#unexpect()
    if (this.#buffers.has(id)) return false
    this.#buffers.set(id, buffer)
    for (const notice of early) if (notice.subscription === id) this.take(notice)
    return true
  }

  /** The call failed. */
  refused(): void {
    this.#unexpect()
  }

  /** Takes a notice; false when it belongs to no subscription of ours. */
  take(notice: Notice): boolean {
    const buffer = this.#buffers.get(notice.subscription)
    if (buffer === undefined) return this.#keepEarly(notice)
    if (notice.error !== undefined) {
      this.#buffers.delete(notice.subscription)
      buffer.end(errorFromWire(notice.error, 'subscription', false))
    } else if (notice.done === true) {
      this.#buffers.delete(notice.subscription)
      buffer.end()
    } else buffer.push(notice.result)
    return true
  }

  /** Forgets a subscription; what still comes for it is dropped. */
  drop(id: SubscriptionId): boolean {
    return this.#buffers.delete(id)
  }

  endAll(error: PosternError): void {
    for (const buffer of this.#buffers.values()) buffer.end(error)
    this.#buffers.clear()
    this.#early = []
  }

  #keepEarly(notice: Notice): boolean {
    if (this.#expected === 0 || this.#early.length >= this.#limits.maxBufferedItems) return false
    this.#early.push(notice)
    return true
  }

  #unexpect(): void {
    this.#expected--
    if (this.#expected === 0) this.#early = []
  }
}
