/**
 * Who listens to which event, over all connections of one server.
 */

import type { OutgoingFrame } from '../core/channel.ts'
import { wireError } from '../protocols/json-rpc-codes.ts'
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
  readonly #onError: (error: unknown, context: string) => void

  /** `onError` is told of payloads that some of the listeners cannot be sent. */
  constructor(onError: (error: unknown, context: string) => void) {
    this.#onError = onError
  }

  /** Adds a listener; the function returned takes it away. */
  join(key: string, feed: Feed): () => void {
    const feeds = this.#feeds.get(key) ?? new Set()
    this.#feeds.set(key, feeds.add(feed))
    return () => feeds.delete(feed)
  }

  /**
   * Sends to all who listen now. A payload is written once for all listeners that have the same id. A listener whose
   * connection cannot carry it is told so and listens no more, and `onError` is told; where that is so of all, this
   * throws the `TypeError` instead, and nothing is sent.
   */
  emit(key: string, notification: string, payload: unknown): void {
    const feeds = [...(this.#feeds.get(key) ?? [])]
    const frames = new Map<string, OutgoingFrame | TypeError>()
    for (const feed of feeds) {
      const same = sameFrame(feed)
      if (!frames.has(same)) frames.set(same, written(feed, notification, payload))
    }
    const outcomes = [...frames.values()]
    const [first] = outcomes
    if (first instanceof TypeError && outcomes.every((outcome) => outcome instanceof TypeError)) throw first
    for (const outcome of outcomes) if (outcome instanceof TypeError) this.#onError(outcome, key)
    for (const feed of feeds) {
      const frame = frames.get(sameFrame(feed))
      if (frame instanceof TypeError)
        feed.fail(notification, wireError('internal', `an item cannot be sent: ${frame.message}`))
      else if (frame !== undefined) feed.send(frame)
    }
  }
}

function sameFrame({ id, protocol }: Feed): string {
  return `${protocol.name} ${id}`
}

function written({ id, protocol }: Feed, method: string, payload: unknown): OutgoingFrame | TypeError {
  try {
    return protocol.write({ kind: 'note', method, params: { subscription: id, result: payload ?? null } })
  } catch (error) {
    if (error instanceof TypeError) return error
    throw error
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
