/**
 * Subscriptions in the shape that Ethereum nodes use, at the side that subscribed: whose item is it.
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

/** How a server names a subscription. */
export type SubscriptionId = string | number

/** Who is told what comes for a subscription. */
export interface Subscriber {
  item(item: unknown): void
  /** The server has ended it: in order, or with an error. */
  ended(error?: PosternError): void
  /** The connection has. */
  lost(reason: PosternError): void
}

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
  /** Whether the other side is known to be Postern, so that its error numbers mean ours. */
  readonly #postern: boolean
  readonly #subscribers = new Map<SubscriptionId, Subscriber>()
  /** Subscribe calls without an answer yet, and what came for ids that nobody knows while there were any. */
  #expected = 0
  #early: Notice[] = []

  constructor(limits: Limits, postern: boolean) {
    this.#limits = limits
    this.#postern = postern
  }

  /** Subscriptions that stand or are on their way. */
  get size(): number {
    return this.#subscribers.size + this.#expected
  }

  /** Makes room for one more subscription, whose call is about to be sent. */
  expect(): void {
    const { maxSubscriptions } = this.#limits
    if (this.size >= maxSubscriptions) {
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
   * The call was answered with this id: items go to the subscriber from here on, those that came early first. False
   * when the id is that of another subscription.
   */
  open(id: SubscriptionId, subscriber: Subscriber): boolean {
    const early = this.#early
    this.#unexpect()
    if (this.#subscribers.has(id)) return false
    this.#subscribers.set(id, subscriber)
    for (const notice of early) if (notice.subscription === id) this.take(notice)
    return true
  }

  /** The call failed. */
  refused(): void {
    this.#unexpect()
  }

  /** Takes a notice; false when it belongs to no subscription of ours. */
  take(notice: Notice): boolean {
    const subscriber = this.#subscribers.get(notice.subscription)
    if (subscriber === undefined) return this.#keepEarly(notice)
    if (notice.error !== undefined) {
      this.#subscribers.delete(notice.subscription)
      subscriber.ended(errorFromWire(notice.error, 'subscription', this.#postern))
    } else if (notice.done === true) {
      this.#subscribers.delete(notice.subscription)
      subscriber.ended()
    } else subscriber.item(notice.result)
    return true
  }

  /** Forgets a subscription; what still comes for it is dropped. */
  drop(id: SubscriptionId): boolean {
    return this.#subscribers.delete(id)
  }

  /** The connection has ended. */
  loseAll(reason: PosternError): void {
    const subscribers = [...this.#subscribers.values()]
    this.#subscribers.clear()
    this.#early = []
    for (const subscriber of subscribers) subscriber.lost(reason)
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
