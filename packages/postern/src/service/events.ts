/**
 * Who listens to which event, over all connections of one server.
 */

import type { OutgoingFrame } from '../core/channel.ts'
import type { Feed } from '../rpc/served-streams.ts'
import { type Contract, wireName } from './contract.ts'
import type { EventMember, Members, SentItemOf } from './members.ts'

/** The events of a contract as functions that emit them. */
export type Emit<M extends Members> = {
  readonly [K in keyof M as M[K] extends EventMember ? K : never]: undefined extends SentItemOf<M[K]>
    ? (payload?: SentItemOf<M[K]>) => void
    : (payload: SentItemOf<M[K]>) => void
}

export class Events {
  readonly #feeds = new Map<string, Set<Feed>>()

  /** Adds a listener; the function returned takes it away. */
  join(key: string, feed: Feed): () => void {
    const feeds = this.#feeds.get(key) ?? new Set()
    this.#feeds.set(key, feeds.add(feed))
    return () => feeds.delete(feed)
  }

  /**
   * Sends to all who listen now. A payload is written once for all listeners that have the same id. Throws `TypeError`
   * for one that cannot be carried, before anything is sent.
   */
  emit(key: string, notification: string, payload: unknown): void {
    const frames = new Map<string, OutgoingFrame>()
    for (const feed of this.#feeds.get(key) ?? []) {
      const same = `${feed.protocol.name} ${feed.id}`
      let frame = frames.get(same)
      if (frame === undefined) {
        const params = { subscription: feed.id, result: payload ?? null }
        frame = feed.protocol.write({ kind: 'note', method: notification, params })
        frames.set(same, frame)
      }
      feed.send(frame)
    }
  }
}

/** The functions that emit the events of a contract. */
export function emitOf<M extends Members>(contract: Contract<M>, events: Events): Emit<M> {
  const emit: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  const notification = wireName(contract, 'subscription')
  for (const [key, member] of Object.entries(contract.members)) {
    if (member.kind === 'event') emit[key] = (payload?: unknown) => events.emit(key, notification, payload)
  }
  return Object.freeze(emit) as Emit<M>
}
