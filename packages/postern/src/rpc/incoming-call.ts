/**
 * A call from the other side, as it reaches the service, and how it may be refused.
 */

import type { SharedBlob } from '../core/blobs.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { Peer } from '../core/stream.ts'
import { declaredErrorNumber, wireError } from '../protocols/json-rpc-codes.ts'
import type { Id, WireError } from '../protocols/message.ts'
import type { CallOptions } from './pending-calls.ts'
import type { ServedStreams } from './served-streams.ts'

/** Calls the other side. */
export interface Caller {
  call(method: string, params?: unknown, options?: CallOptions): Promise<unknown>
  notify(method: string, params?: unknown): Promise<void>
}

/** Answers a call: with a value or a promise of one, or by throwing. Only a `Refusal` tells the peer why. */
export type CallHandler = (call: IncomingCall) => unknown

/** Thrown to answer with an error that is meant for the peer; every other exception stays with the server. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly wire: WireError

  constructor(wire: WireError) {
    super(wire.message)
    this.wire = wire
  }
}

/** A refusal with one of our codes. */
export function refusal(code: ErrorCode, sentence: string, data?: unknown): Refusal {
  return new Refusal(wireError(code, sentence, data))
}

/** What a handler knows of a call beside its parameters. */
export interface CallContext {
  /** The full name of the method. */
  readonly method: string
  /** Who calls, as the kernel says. */
  readonly peer: Peer
  /** Aborts when the caller gave up or has gone. */
  readonly signal: AbortSignal
  /** Calls back to the caller. */
  readonly client: Caller
  /**
   * Memory to be filled and answered with, which is handed over and not copied. Throws `not_supported` where the caller
   * is not at a `shm:` address with MessagePack or CBOR.
   */
  blob(bytes: number): SharedBlob
  /**
   * Makes an error that is meant for the caller; every other exception stays with the server. A text as code travels
   * as `data.code` of error -32000, a whole number is the JSON-RPC code itself.
   *
   * @example
   * ```ts
   * const handlers = {
   *   transfer: (_params: unknown, ctx: CallContext) => {
   *     throw ctx.fail('insufficient_funds', { missing: 12 })
   *   },
   * }
   * ```
   */
  fail(code: string | number, details?: unknown, message?: string): Error
}

/** What all calls of one connection have in common. */
export interface CallHost {
  readonly peer: Peer
  /** Makes memory that can be handed over. */
  blob(bytes: number): SharedBlob
  /** The other side, for calls back to it. */
  readonly client: Caller
  /** The subscriptions of the other side. */
  readonly streams: ServedStreams
}

/** One call while it runs; its handler sees it as a `CallContext`. */
export class IncomingCall implements CallContext {
  /** Undefined for a note, which wants no answer. */
  readonly id: Id | undefined
  /** Of a subscription the stream's own name, once that is known. */
  method: string
  readonly params: unknown
  readonly host: CallHost
  /** Runs once the answer has been given to the channel: what must not come before it. */
  afterAnswer: (() => void) | undefined
  #controller: AbortController | undefined
  #abortReason: unknown

  constructor(message: { id?: Id; method: string; params: unknown }, host: CallHost) {
    this.id = message.id
    this.method = message.method
    this.params = message.params
    this.host = host
  }

  get peer(): Peer {
    return this.host.peer
  }

  get client(): Caller {
    return this.host.client
  }

  blob(bytes: number): SharedBlob {
    return this.host.blob(bytes)
  }

  get aborted(): boolean {
    return this.#abortReason !== undefined
  }

  /** Aborts when the caller gave up or has gone. Made when first asked for: it costs more than the rest of a call. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason)
    }
    return this.#controller.signal
  }

  fail(code: string | number, details?: unknown, message: string = String(code)): Error {
    if (typeof code === 'string') {
      const data = details === undefined ? { code } : { code, details }
      return new Refusal({ code: declaredErrorNumber, message, data })
    }
    if (!Number.isSafeInteger(code)) throw new TypeError(`the number of an error is a whole number, not ${code}`)
    return new Refusal(details === undefined ? { code, message } : { code, message, data: details })
  }

  abort(reason: unknown): void {
    this.#abortReason ??= reason
    this.#controller?.abort(reason)
  }
}
