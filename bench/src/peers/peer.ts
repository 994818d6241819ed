/**
 * A peer: one way to ask another process for something, measured beside the others. To add one, write one file that
 * implements this, and name it in `all-peers.ts`.
 */

import type { Stop } from '../roles/role.ts'
import { traceJson } from '../trace-json.ts'

/** What travels there and back in a small call. */
export interface Payload {
  readonly text: string
}

/** 100 bytes, the same for all. */
export const payload: Payload = { text: 'postern '.repeat(13).slice(0, 100) }

/** How large an answer is asked for. */
export interface TraceSize {
  readonly bytes: number
}

/** `echo` answers its parameters, `trace` a value that is many small objects. */
export type Method = 'echo' | 'trace'

export type Params = Payload | TraceSize

/** What a peer serves, from values to values: text or bytes are made for each answer. */
export const handlers: Readonly<Record<Method, (params: unknown) => unknown>> = {
  echo: (params) => params,
  trace: (params) => traceOf((params as TraceSize).bytes),
}

const traces = new Map<number, unknown>()

function traceOf(bytes: number): unknown {
  const trace: unknown = traces.get(bytes) ?? JSON.parse(traceJson(bytes))
  traces.set(bytes, trace)
  return trace
}

export interface Peer {
  /** As the table prints it. */
  readonly name: string
  /** How it was set up, for the reader who wonders whether the comparison is fair: each default that was changed, and why. */
  readonly defaults: string
  /** One of those that ours must be ahead of. */
  readonly library?: true
  /** It takes part in this case only; default all that measure peers. */
  readonly only?: PeerCase
  /** Runs only one call at a time. */
  readonly sequential?: true
  /** Serves `handlers` at a Unix socket of this path. */
  serve(path: string): Promise<Stop>
  /** Resolves with a client that is connected. */
  connect(path: string): Promise<PeerClient>
}

/** The cases that measure peers. */
export type PeerCase = 'small-calls' | 'peer-answers'

export interface PeerClient {
  /** One call: resolves with what came back, parsed. */
  call(method: Method, params: Params): Promise<unknown>
  close(): Promise<void>
}
