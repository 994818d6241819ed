/** The subscriptions of a provider, under names of its own which no restart of the node changes. */

import { setImmediate as turn } from 'node:timers/promises'
import type { Connection } from '../app/connection.ts'
import type { Gap, Subscription } from '../rpc/subscription.ts'
import { sooner } from './giving-up.ts'

/** Who is told what comes of a subscription. None of it may throw. */
export interface SubscriptionSink {
  readonly item: (result: unknown, id: string) => void
  /** Items are missing here: the connection was lost, and is back. */
  readonly gap: (gap: Gap) => void
  /** No more items come, though nobody unsubscribed. */
  readonly ended: (error: unknown) => void
}

/** What is asked for, as in `eth_subscribe` with `['newHeads']`. */
export interface SubscribeCall {
  readonly method: string
  readonly params: unknown
  readonly signal?: AbortSignal | undefined
}

export class NodeSubscriptions {
  readonly #subscriptions = new Map<string, Subscription>()
  #lastId = 0

  /** Subscribes, and resolves with the name; items come some time after that, so that it is known by then. */
  async open(
    connection: Connection,
    { method, params, signal }: SubscribeCall,
    sink: SubscriptionSink,
  ): Promise<string> {
    const id = `0x${(++this.#lastId).toString(16)}`
    const onGap = (gap: Gap): void => sink.gap({ ...gap, subscription: id })
    const subscription = connection.subscribe(method, params, { onGap })
    try {
      await sooner(subscription.ready, method, { signal })
    } catch (error) {
      await subscription.return()
      throw error
    }
    this.#subscriptions.set(id, subscription)
    void this.#deliver(id, subscription, sink)
    return id
  }

  /** Ends a subscription; false when there is none of that name. */
  async close(id: unknown): Promise<boolean> {
    const subscription = this.#subscriptions.get(id as string)
    if (subscription === undefined) return false
    this.#subscriptions.delete(id as string)
    await subscription.return()
    return true
  }

  async #deliver(id: string, subscription: Subscription, sink: SubscriptionSink): Promise<void> {
    // Whoever subscribed learns the name by a promise, a few steps of microtasks from here.
    await turn()
    try {
      for await (const result of subscription) {
        if (!this.#subscriptions.has(id)) return
        sink.item(result, id)
      }
      if (this.#subscriptions.delete(id)) sink.ended(undefined)
    } catch (error) {
      if (this.#subscriptions.delete(id)) sink.ended(error)
    }
  }
}
