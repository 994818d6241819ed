/**
 * Where errors go that no caller is told, unless the program says otherwise: stderr, one escaped line each.
 */

import { inspect } from 'node:util'
import { escapeText } from '../core/escape.ts'

/** Told of an error that no caller is told; `context` names the method or the address. */
export type OnError = (error: unknown, context: string) => void

/** Writes one line to stderr. */
export const logError: OnError = (error, context) => {
  process.stderr.write(`postern: ${escapeText(context)}: ${escapeText(describe(error))}\n`)
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return `threw ${inspect(error, { breakLength: Number.POSITIVE_INFINITY })}`
  const place = /\n\s+at (.*)/.exec(String(error.stack))?.[1]
  return `${error.name}: ${error.message}${place === undefined ? '' : ` (at ${place})`}`
}

/** The same listener, which ends nothing when it throws itself: both errors are then logged. */
export function guarded(onError: OnError): OnError {
  return (error, context) => {
    try {
      onError(error, context)
    } catch (own) {
      logError(error, context)
      logError(own, 'onError')
    }
  }
}
