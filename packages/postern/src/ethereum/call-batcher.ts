/**
 * Puts the calls of one turn of the event loop into one frame: a JSON-RPC batch.
 *
 * Only calls that may be repeated. A node answers a batch that is too large for it with one error for all, which says
 * nothing of what had run by then; and calls whose connection is lost are sent again one by one.
 */

import type { Connection } from '../app/connection.ts'
import { isPosternError } from '../core/errors.ts'

interface WaitingCall {
  readonly method: string
  readonly params: unknown
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

export class CallBatcher {
  readonly #connection: () => Promise<Connection>
  readonly #maxCalls: number
  #waiting: WaitingCall[] = []

  constructor(connection: () => Promise<Connection>, maxCalls: number) {
    this.#connection = connection
    this.#maxCalls = maxCalls
  }

  /** Calls an idempotent method, together with what else is called before the event loop turns. */
  call(method: string, params: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      // Later than any promise: libraries make several calls at once at different depths of them.
      if (this.#waiting.length === 0) setImmediate(() => this.#flush())
      this.#waiting.push({ method, params, resolve, reject })
    })
  }

  #flush(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (let from = 0; from < waiting.length; from += this.#maxCalls) {
      const calls = waiting.slice(from, from + this.#maxCalls)
      this.#send(calls).catch((error: unknown) => {
        for (const { reject } of calls) reject(error)
      })
    }
  }

  async #send(calls: readonly WaitingCall[]): Promise<void> {
    const connection = await this.#connection()
    const [only] = calls
    if (only !== undefined && calls.length === 1) {
      sendAlone(connection, only)
      return
    }
    const outcomes = await connection.batch(calls.map(({ method, params }) => [method, params]))
    for (const [index, call] of calls.entries()) settle(connection, call, outcomes[index])
  }
}

function settle(connection: Connection, call: WaitingCall, outcome: PromiseSettledResult<unknown> | undefined): void {
  if (outcome?.status === 'fulfilled') call.resolve(outcome.value)
  else if (isLost(outcome?.reason)) sendAlone(connection, call)
  else call.reject(outcome?.reason)
}

function isLost(reason: unknown): boolean {
  return isPosternError(reason, 'closed') || isPosternError(reason, 'unknown_outcome')
}

function sendAlone(connection: Connection, { method, params, resolve, reject }: WaitingCall): void {
  connection.call(method, params, { idempotent: true }).then(resolve, reject)
}
