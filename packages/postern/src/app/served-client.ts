/**
 * The client as the handlers of a server see it, and the server as those of a client do.
 */

import type { Caller } from '../rpc/incoming-call.ts'
import type { CallOptions } from '../rpc/pending-calls.ts'
import type { Session } from '../rpc/session.ts'
import { Subscription } from '../rpc/subscription.ts'
import { type Api, apiOf, type Listeners, listenersOf } from '../service/client.ts'
import type { Contract } from '../service/contract.ts'
import type { Client } from '../service/handlers.ts'
import type { Members } from '../service/members.ts'
import type { OnError } from './error-log.ts'

/**
 * The other side of one connection. Its functions are made when a handler first asks for them; it has none where it is
 * not known what it serves.
 */
export class ServedClient implements Caller, Client<Members> {
  readonly #session: Session
  readonly #contract: Contract | undefined
  readonly #onError: OnError
  #api: Api<Members> | undefined
  #on: Listeners<Members> | undefined

  constructor(session: Session, contract: Contract | undefined, onError: OnError) {
    this.#session = session
    this.#contract = contract
    this.#onError = onError
  }

  get api(): Api<Members> {
    this.#api ??= this.#contract === undefined ? Object.freeze({}) : apiOf(this.#contract, this.#host())
    return this.#api
  }

  get on(): Listeners<Members> {
    this.#on ??= this.#contract === undefined ? Object.freeze({}) : listenersOf(this.#contract, this.#host())
    return this.#on
  }

  call(method: string, params?: unknown, options?: CallOptions): Promise<unknown> {
    return this.#session.call(method, params, options)
  }

  notify(method: string, params?: unknown): Promise<void> {
    return this.#session.notify(method, params)
  }

  #host(): Parameters<typeof apiOf>[1] {
    const session = this.#session
    return {
      call: (method, params, options) => session.call(method, params, options),
      open: (request) => new Subscription(session, request),
      onError: this.#onError,
    }
  }
}
