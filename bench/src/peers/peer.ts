/**
 * A peer: one way to ask another process for something, measured beside the others. To add one, write one file that
 * implements this, and name it in `all-peers.ts`.
 *
 * Inner functions that have a name cost time under tsx, which writes the name into each: on the path of a call a peer
 * uses methods and nameless callbacks.
 */

import type { Stop } from '../roles/role.ts'

/** What travels there and back in a small call. */
export interface Payload {
  readonly text: string
}

/** 100 bytes, the same for all. */
export const payload: Payload = { text: 'postern '.repeat(13).slice(0, 100) }

export interface Peer {
  /** As the table prints it. */
  readonly name: string
  /** How it was set up, for the reader who wonders whether the comparison is fair. */
  readonly defaults: string
  /** Runs only one call at a time. */
  readonly sequential?: boolean
  /** Serves a method that answers its parameters, at a Unix socket of this path. */
  serve(path: string): Promise<Stop>
  connect(path: string): Promise<PeerClient>
}

export interface PeerClient {
  /** One call: sends the payload and resolves with what came back. */
  echo(payload: Payload): Promise<unknown>
  close(): Promise<void>
}
