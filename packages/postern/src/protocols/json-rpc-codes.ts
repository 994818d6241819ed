/**
 * The door between JSON-RPC's error numbers and ours, both ways.
 *
 * Source: JSON-RPC 2.0 section 5.1. The numbers from -32000 to -32099 are every server's own, so they mean ours only
 * when the other side is known to be Postern: geth's -32001 is "resource not found", ours "permission denied".
 */

import { codeTraits, type ErrorCode, errorCodes, PosternError } from '../core/errors.ts'
import type { WireError } from './message.ts'

/** The number of errors that a contract or a handler declares itself. */
export const declaredErrorNumber = -32000

const codesByNumber = new Map<number, ErrorCode>()
for (const code of Object.keys(errorCodes) as ErrorCode[]) {
  const number = codeTraits(code).jsonRpc
  // Where two codes share a number the first one is the more general.
  if (number !== undefined && !codesByNumber.has(number)) codesByNumber.set(number, code)
}

/** The error that tells a peer of one of our codes. */
export function wireError(code: ErrorCode, message: string, data?: unknown): WireError {
  const number = codeTraits(code).jsonRpc ?? codeTraits('internal').jsonRpc ?? declaredErrorNumber
  return data === undefined ? { code: number, message } : { code: number, message, data }
}

/** The error of ours for an error answer. `details` keeps code, message and data as they were received. */
export function errorFromWire(error: WireError, method: string, fromPostern: boolean): PosternError {
  const isStandard = error.code < -32099 || error.code > -32000
  const code = isStandard || fromPostern ? (codesByNumber.get(error.code) ?? 'remote') : 'remote'
  const sentence = `${method}: ${error.message === '' ? 'the other side gave no reason' : error.message} (code ${error.code})`
  return new PosternError(code, sentence, { details: error })
}

/** The answer of a Postern server that is closing to what it did not run. The number alone may be a handler's own. */
export const closingError: WireError = Object.freeze({
  ...wireError('closed', 'the server is closing'),
  data: Object.freeze({ closing: true }),
})

/** Whether an error answer is that of a closing server: nothing of the call has run. */
export function saysClosing({ code, data }: WireError): boolean {
  if (code !== closingError.code || typeof data !== 'object' || data === null) return false
  return (data as { closing?: unknown }).closing === true
}

/** What an error is called among Postern peers: one of our codes, the one that a contract declares, or `remote`. */
export function errorName({ code, data }: WireError): string {
  if (code !== declaredErrorNumber) return codesByNumber.get(code) ?? 'remote'
  const declared = typeof data === 'object' && data !== null ? (data as { code?: unknown }).code : undefined
  return typeof declared === 'string' ? declared : 'remote'
}
