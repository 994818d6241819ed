/**
 * A mechanism: one way in which messages travel from process to process, below any call. To add one, write one file that
 * implements this, and name it in `all-mechanisms.ts`.
 */

import type { Stop } from '../roles/role.ts'

/** One end of a connection. */
export interface Line {
  /** Begins to tell of what arrives: whole messages, or bytes as they come where nothing marks where one ends. */
  start(told: LineHandlers): void
  /** The bytes must not change afterwards. */
  send(message: Uint8Array): void
  /** No more should be sent before `room`. */
  readonly full: boolean
  close(): void
}

export interface LineHandlers {
  readonly bytes: (bytes: Uint8Array) => void
  /** The line was full and is no more. */
  readonly room: () => void
}

export interface Mechanism {
  /** As the table prints it. */
  readonly name: string
  /** How it was set up, for the reader who wonders whether the comparison is fair. */
  readonly defaults: string
  /**
   * Gives the server's end of each connection at a path to `onLine`. Missing where `connect` has the server too, inside
   * its process or as a child of it.
   */
  readonly listen?: (path: string, onLine: (line: Line) => void) => Promise<Stop>
  /** Resolves with the client's end. */
  connect(path: string): Promise<Line>
}
