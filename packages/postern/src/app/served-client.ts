/**
 * The client as the handlers of a server see it, where it is known what it serves.
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

/** One connected client. Its functions are made when a handler first asks for them. */
export class ServedClient implements Caller, Client<Members> {
  readonly #session: Session
  readonly #contract: Contract
  readonly #onError: OnError
  #api: Api<Members> | undefined
  #on: Listeners<Members> | undefined

  constructor(session: Session, contract: Contract, onError: OnError) {
    this.#session = session
    this.#contract = contract
    this.#onError = onError
  }

  get api(): Api<Members> {
    this.#api ??= apiOf(this.#contract, this.#host())
    return this.#api
  }

  get on(): Listeners<Members> {
    this.#on ??= listenersOf(this.#contract, this.#host())
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
