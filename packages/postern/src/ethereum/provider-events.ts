/** The events of a provider, and who listens to them. */

import type { OnError } from '../app/error-log.ts'
import type { Gap } from '../rpc/subscription.ts'
import type { ProviderRpcError } from './provider-error.ts'

/** An item of a subscription, as EIP-1193 writes it. */
export interface ProviderMessage {
  /** `eth_subscription`. */
  readonly type: string
  readonly data: { readonly subscription: string; readonly result: unknown }
}

/** The events of a provider, with what each is told. */
export interface ProviderEvents {
  /** There is a connection: the first one, or one again. */
  readonly connect: { readonly chainId: string }
  /** The connection was lost; it is being made again. */
  readonly disconnect: ProviderRpcError
  /** An item of a subscription. */
  readonly message: ProviderMessage
  /** Items of a subscription are missing here. */
  readonly gap: Gap
  /** A subscription has ended that nobody ended. */
  readonly error: Error
  /** Never told, though libraries listen: which chain it is says `connect`. */
  readonly chainChanged: string
  /** Never told, though libraries listen: a node's accounts are its own. */
  readonly accountsChanged: string[]
}

/** Listens to one event. */
export type ProviderListener<E extends keyof ProviderEvents> = (payload: ProviderEvents[E]) => void

export class EventListeners {
  readonly #onError: OnError
  readonly #listeners = new Map<string, Set<(payload: never) => void>>()

  /** `onError` is told what listeners throw. */
  constructor(onError: OnError) {
    this.#onError = onError
  }

  has(event: keyof ProviderEvents): boolean {
    return this.#listeners.has(event)
  }

  add<E extends keyof ProviderEvents>(event: E, listener: ProviderListener<E>): void {
    if (typeof listener !== 'function') throw new TypeError(`a listener of ${JSON.stringify(event)} is a function`)
    const listeners = this.#listeners.get(event) ?? new Set()
    this.#listeners.set(event, listeners.add(listener))
  }

  remove<E extends keyof ProviderEvents>(event: E, listener: ProviderListener<E>): void {
    const listeners = this.#listeners.get(event)
    listeners?.delete(listener)
    if (listeners?.size === 0) this.#listeners.delete(event)
  }

  /** Tells all who listen now; false when nobody does. */
  tell<E extends keyof ProviderEvents>(event: E, payload: ProviderEvents[E]): boolean {
    const listeners = this.#listeners.get(event)
    if (listeners === undefined) return false
    for (const listener of [...listeners]) this.guard(event, () => (listener as ProviderListener<E>)(payload))
    return true
  }

  /** Runs a function of the user; what it throws ends nothing. */
  guard(context: string, run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#onError(error, context)
    }
  }
}
