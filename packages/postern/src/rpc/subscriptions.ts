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
import { namedParams, readWireError, type WireError } from '../protocols/message.ts'

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
  const { subscription, result, error, done } = namedParams(params)
  if (typeof subscription !== 'string' && typeof subscription !== 'number') return undefined
  if (error !== undefined && error !== null) return { subscription, error: readWireError(error) }
  return done === true ? { subscription, done } : { subscription, result }
}

/** What is needed of the session. */
export interface SubscriptionsOptions {
  readonly limits: Pick<Limits, 'maxSubscriptions' | 'maxBufferedItems'>
  /** Whether the other side is known to be Postern, so that its error numbers mean ours. */
  readonly postern: boolean
  /** Called when there is about to be one more. */
  readonly onExpect: () => void
}

export class Subscriptions {
  readonly #options: SubscriptionsOptions
  readonly #subscribers = new Map<SubscriptionId, Subscriber>()
  /** Subscribe calls without an answer yet, and what came for ids that nobody knows while there were any. */
  #expected = 0
  #early: Notice[] = []
  /** More came early than is kept. */
  #earlyLost = false
  /** Subscriptions that were ended here, while the server may not know it yet. */
  readonly #dropped = new Set<SubscriptionId>()

  constructor(options: SubscriptionsOptions) {
    this.#options = options
  }

  /** Subscriptions that stand or are on their way. */
  get size(): number {
    return this.#subscribers.size + this.#expected
  }

  /** Makes room for one more subscription, whose call is about to be sent. */
  expect(): void {
    const { limits, onExpect } = this.#options
    const { maxSubscriptions } = limits
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
    onExpect()
  }

  /**
   * The call was answered with this id: items go to the subscriber from here on, those that came early first. False
   * when the id is that of another subscription.
   */
  open(id: SubscriptionId, subscriber: Subscriber): boolean {
    const early = this.#early
    const someLost = this.#earlyLost
    this.#unexpect()
    if (this.#subscribers.has(id)) return false
    this.#subscribers.set(id, subscriber)
    this.#dropped.delete(id)
    for (const notice of early) if (notice.subscription === id) this.#give(subscriber, notice)
    if (someLost && this.#subscribers.delete(id)) subscriber.ended(this.#tooEarly())
    return true
  }

  /** The call failed. */
  refused(): void {
    this.#unexpect()
  }

  /** Takes a notice that came as this method; false when it belongs to no subscription of ours. */
  take(notice: Notice, method: string): boolean {
    const subscriber = this.#subscribers.get(notice.subscription)
    if (subscriber === undefined) return this.#dropped.has(notice.subscription) || this.#keepEarly(notice, method)
    this.#give(subscriber, notice)
    return true
  }

  #give(subscriber: Subscriber, notice: Notice): void {
    if (notice.error !== undefined) {
      this.#subscribers.delete(notice.subscription)
      subscriber.ended(errorFromWire(notice.error, 'subscription', this.#options.postern))
    } else if (notice.done === true) {
      this.#subscribers.delete(notice.subscription)
      subscriber.ended()
    } else subscriber.item(notice.result)
  }

  /** Forgets a subscription; what still comes for it is dropped until `forget`. False when there is none. */
  drop(id: SubscriptionId): boolean {
    if (!this.#subscribers.delete(id)) return false
    this.#dropped.add(id)
    return true
  }

  /** The server knows that the subscription was ended. */
  forget(id: SubscriptionId): void {
    this.#dropped.delete(id)
  }

  /** The connection has ended. */
  loseAll(reason: PosternError): void {
    const subscribers = [...this.#subscribers.values()]
    this.#subscribers.clear()
    this.#early = []
    for (const subscriber of subscribers) subscriber.lost(reason)
  }

  /** Until the answer comes nobody knows whose it is, so only what is called as notices are is taken for one. */
  #keepEarly(notice: Notice, method: string): boolean {
    if (this.#expected === 0 || !/subscription$/i.test(method)) return false
    if (this.#early.length < this.#options.limits.maxBufferedItems) this.#early.push(notice)
    else this.#earlyLost = true
    return true
  }

  #tooEarly(): PosternError {
    const { maxBufferedItems } = this.#options.limits
    return new PosternError(
      'limit_exceeded',
      `more than limits.maxBufferedItems (${maxBufferedItems}) items came before the answer that names their subscription`,
      { details: { limit: 'maxBufferedItems', value: maxBufferedItems } },
    )
  }

  #unexpect(): void {
    this.#expected--
    if (this.#expected > 0) return
    this.#early = []
    this.#earlyLost = false
  }
}
