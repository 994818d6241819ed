/**
 * Where errors go that no caller is told, unless the program says otherwise: stderr, one escaped line each.
 */

import { escapeText } from '../core/escape.ts'

/** Told of an error that no caller is told; `context` names the method or the address. */
export type OnError = (error: unknown, context: string) => void

/** Writes one line to stderr. */
export const logError: OnError = (error, context) => {
  process.stderr.write(`postern: ${escapeText(context)}: ${escapeText(describe(error))}\n`)
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return `threw ${String(error)}`
  const place = /\n\s+at (.*)/.exec(error.stack ?? '')?.[1]
  return `${error.name}: ${error.message}${place === undefined ? '' : ` (at ${place})`}`
}
