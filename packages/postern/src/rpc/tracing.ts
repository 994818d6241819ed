/**
 * What each call tells who traces: Node's tracing channel `postern:call`, on both sides.
 *
 * ```
 * tracing:postern:call:start        the call is being sent, or its handler begins
 * tracing:postern:call:end          that has been done
 * tracing:postern:call:error        only when it failed; `error` and `code` say how
 * tracing:postern:call:asyncStart   it is over: all of the trace is filled in
 * tracing:postern:call:asyncEnd     the same, once all have been told
 * ```
 *
 * One object goes through all five, so that a subscriber may keep something of its own with it. While nobody
 * subscribes, a call costs one question.
 */

import { tracingChannel } from 'node:diagnostics_channel'
import type { OutgoingFrame } from '../core/channel.ts'
import { nowMs } from '../core/deadline.ts'
import type { Peer } from '../core/stream.ts'

/** What is known of one call. */
export interface CallTrace {
  readonly side: 'client' | 'server'
  /** The full name of the method; of a subscription at a server the stream's. */
  method: string
  /** As the client connected, or as the server listens. */
  readonly address: string
  /** Who is at the other end, as the kernel says. */
  readonly peer: Peer
  /** Bytes of the call on the wire; 0 when it was never written. In a batch its share. */
  callBytes: number
  /** Bytes of its answer; 0 when none came. */
  answerBytes: number
  /** At a client from the call to its outcome; at a server from the handler's start until its answer is sent. */
  durationMs: number
  /** `ok`, or the code of the error. */
  code: string
  /** What a failed call rejects with, or what a handler threw. */
  error?: unknown
}

/** What is known when a call begins. */
export type TraceStart = Pick<CallTrace, 'side' | 'method' | 'address' | 'peer'>

const channel = tracingChannel<'postern:call', CallTrace>('postern:call')

/** Whether anybody listens: all that a call asks where nobody does. */
export function isTraced(): boolean {
  return channel.hasSubscribers
}

/** The trace of one call. */
export class Tracing {
  readonly trace: CallTrace
  readonly #startMs = nowMs()

  constructor(start: TraceStart) {
    this.trace = { ...start, callBytes: 0, answerBytes: 0, durationMs: 0, code: 'ok' }
  }

  /** Runs what the call does at once, in the stores that subscribers have bound. */
  run<Result>(work: () => Result): Result {
    try {
      return channel.start.runStores(this.trace, work)
    } finally {
      channel.end.publish(this.trace)
    }
  }

  /** It has failed: this is told when it is over. */
  fail(code: string, error: unknown): void {
    this.trace.code = code
    this.trace.error = error
  }

  /** The call is over. */
  settle(): void {
    const { trace } = this
    trace.durationMs = nowMs() - this.#startMs
    if (trace.code !== 'ok') channel.error.publish(trace)
    channel.asyncStart.publish(trace)
    channel.asyncEnd.publish(trace)
  }
}

/** The bytes of a frame, counted only where somebody wants to know. */
export function frameBytes(frame: OutgoingFrame): number {
  return typeof frame === 'string' ? Buffer.byteLength(frame) : frame.length
}
