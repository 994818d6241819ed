/**
 * The calls that wait for an answer. Each settles exactly once: by its answer, its deadline, its signal or the end of
 * the connection.
 */

import { DeadlineTimer, nowMs } from '../core/deadline.ts'
import { PosternError } from '../core/errors.ts'
import type { Id } from '../protocols/message.ts'
import { IdTable } from './id-table.ts'
import type { Tracing } from './tracing.ts'

/** What a caller may say of one call. */
export interface CallOptions {
  /** Gives up when it aborts; the call then rejects with `cancelled`. */
  readonly signal?: AbortSignal
  /** Idle time: without an answer, or a byte of one. Default `limits.callMs`. */
  readonly timeoutMs?: number
  /** Told how many bytes of the answer have arrived, each time more do. */
  readonly onProgress?: (bytes: number) => void
  /** The result's bytes as they came, in the codec of the connection, as a `Uint8Array`. */
  readonly raw?: boolean
  /** Running it twice is as good as once: when its outcome is unknown it is repeated on the next connection. */
  readonly idempotent?: boolean
}

/** One call that waits. */
export interface PendingCall {
  readonly id: number
  readonly method: string
  readonly options: CallOptions
  readonly timeoutMs: number
  /** Called within the frame that brought the answer, before anything behind it is read. */
  readonly settle: (outcome: Outcome) => void
  dueMs: number
  /** The number of the frame that carried it, or 0 while it has not been sent. */
  frameNumber: number
  readonly stopListening: (() => void) | undefined
  readonly tracing: Tracing | undefined
  nextInTable: PendingCall | undefined
}

/** How a call ended. */
export type Outcome = { readonly value: unknown } | { readonly error: Error }

/** Why a call was given up before its answer. */
export type GivenUp = (call: PendingCall) => void

interface NewCall {
  readonly method: string
  readonly options: CallOptions
  readonly timeoutMs: number
  readonly settle: (outcome: Outcome) => void
  readonly tracing: Tracing | undefined
}

export class PendingCalls {
  readonly #calls = new IdTable<PendingCall>()
  readonly #maxId: number
  readonly #onGivenUp: GivenUp
  readonly #timer = new DeadlineTimer((now) => this.#endOverdue(now))
  #lastId = 0
  /** The ids have begun again, so that one may belong to a call that waits. */
  #mayBeInUse = false
  #rawCalls = 0

  /** Ids begin again behind `maxId`. */
  constructor(maxId: number, onGivenUp: GivenUp) {
    this.#maxId = maxId
    this.#onGivenUp = onGivenUp
  }

  get size(): number {
    return this.#calls.size
  }

  /** Whether an answer may be one whose bytes are wanted unparsed. */
  get hasRaw(): boolean {
    return this.#rawCalls > 0
  }

  add({ method, options, timeoutMs, settle, tracing }: NewCall): PendingCall {
    const id = this.#nextId()
    const dueMs = nowMs() + timeoutMs
    const { signal } = options
    let stopListening: (() => void) | undefined
    if (signal !== undefined) {
      const abort = (): void =>
        this.#giveUp(
          id,
          new PosternError('cancelled', `${method} was cancelled by its caller`, { cause: signal.reason }),
        )
      signal.addEventListener('abort', abort, { once: true })
      stopListening = () => signal.removeEventListener('abort', abort)
    }
    const call: PendingCall = {
      id,
      method,
      options,
      timeoutMs,
      settle,
      dueMs,
      frameNumber: 0,
      stopListening,
      tracing,
      nextInTable: undefined,
    }
    this.#calls.add(call)
    if (options.raw === true) this.#rawCalls++
    this.#timer.expect(dueMs)
    return call
  }

  /** Skips the ids of calls that still wait; there are always more ids than calls. */
  #nextId(): number {
    do {
      if (this.#lastId < this.#maxId) this.#lastId++
      else {
        this.#lastId = 1
        this.#mayBeInUse = true
      }
    } while (this.#mayBeInUse && this.#calls.get(this.#lastId) !== undefined)
    return this.#lastId
  }

  get(id: Id | undefined): PendingCall | undefined {
    return typeof id === 'number' ? this.#calls.get(id) : undefined
  }

  /** The only call that waits, where there is just one. */
  sole(): PendingCall | undefined {
    if (this.#calls.size !== 1) return undefined
    return this.#calls.entries()[0]
  }

  /** Ends a call; false when it was not waiting any more. */
  settle(id: number, outcome: Outcome): boolean {
    const call = this.#calls.get(id)
    if (call === undefined) return false
    this.#calls.remove(call)
    if (call.options.raw === true) this.#rawCalls--
    call.stopListening?.()
    call.settle(outcome)
    return true
  }

  /** Bytes of an unfinished answer have arrived: of this call, or nobody knows of which. */
  progress(call: PendingCall | undefined, bytes: number): void {
    const now = nowMs()
    if (call === undefined) {
      for (const one of this.#calls.entries()) one.dueMs = now + one.timeoutMs
      return
    }
    call.dueMs = now + call.timeoutMs
    try {
      call.options.onProgress?.(bytes)
    } catch (error) {
      // What a caller's own function throws is the caller's to hear, not the end of the process.
      this.#giveUp(call.id, error as Error)
    }
  }

  /** Ends all calls; `error` says why, for each. */
  settleAll(error: (call: PendingCall) => PosternError): void {
    this.#timer.stop()
    for (const call of this.#calls.entries()) this.settle(call.id, { error: error(call) })
  }

  #endOverdue(now: number): number {
    let earliest = Number.POSITIVE_INFINITY
    for (const call of this.#calls.entries()) {
      if (call.dueMs <= now) this.#giveUp(call.id, overdue(call))
      else if (call.dueMs < earliest) earliest = call.dueMs
    }
    return earliest
  }

  #giveUp(id: number, error: Error): void {
    const call = this.#calls.get(id)
    if (call === undefined) return
    this.settle(id, { error })
    this.#onGivenUp(call)
  }
}

function overdue({ method, timeoutMs }: PendingCall): PosternError {
  const sentence = `${method}: no answer, and no byte of one, for ${timeoutMs} ms; give timeoutMs or limits.callMs more, or look at the server`
  return new PosternError('deadline_exceeded', sentence, { details: { method, timeoutMs } })
}
