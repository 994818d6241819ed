/**
 * Errors in the shape of EIP-1193: a number for a code.
 *
 * ```
 * the node answered an error               its own code, message and data
 * given up here: deadline, signal, limit   -32002
 * no connection, or it was lost            4900
 * ```
 *
 * Sources: EIP-1193 "Provider Errors", EIP-1474 "Error codes". The two numbers of ours are among those which viem never
 * takes as a reason to send a call again.
 */

import { type ErrorCode, isPosternError, PosternError } from '../core/errors.ts'

const disconnected = 4900
const unavailable = -32002

const givenUp: ReadonlySet<ErrorCode> = new Set(['cancelled', 'deadline_exceeded', 'limit_exceeded', 'overloaded'])

/** Codes that say for certain that the call did not run. */
const neverRan: ReadonlySet<ErrorCode> = new Set([
  'no_listener',
  'busy',
  'closed',
  'permission_denied',
  'peer_rejected',
  'overloaded',
  'missing_dependency',
  'not_supported',
  'bad_address',
])

/** The error of a provider: what EIP-1193 calls `ProviderRpcError`. Its `cause` is the `PosternError` behind it. */
export class ProviderRpcError extends Error {
  override readonly name = 'ProviderRpcError'
  /** The node's own number; else 4900 for a connection that is not there, or -32002 for a call that was given up. */
  readonly code: number
  /** The node's own data, such as the bytes of a revert; else `{ postern }` with the code of the cause. */
  declare readonly data?: unknown
  declare readonly cause: PosternError

  constructor(cause: PosternError) {
    const answer = answerOf(cause)
    super(answer?.message ?? cause.message, { cause })
    this.code = answer?.code ?? (givenUp.has(cause.code) ? unavailable : disconnected)
    const data = answer === undefined ? { postern: cause.code } : answer.data
    if (data !== undefined) this.data = data
  }
}

/** What a provider rejects with. Wrong use stays a `TypeError`. */
export function toProviderError(error: unknown): Error {
  if (isPosternError(error)) return new ProviderRpcError(error)
  return error instanceof Error ? error : new Error(String(error))
}

/**
 * Whether the call behind an error may have run although no answer came: it was sent, and then the connection was lost
 * or the call was given up. Look whether a transaction arrived before you send it again. It is found in the errors of
 * viem, ethers and web3.js too.
 *
 * @example
 * ```ts
 * import { mayHaveRun } from 'postern/ethereum'
 *
 * if (mayHaveRun(error)) console.log('look for the transaction by its hash')
 * ```
 */
export function mayHaveRun(error: unknown): boolean {
  const code = posternCode(error)
  return code !== undefined && !neverRan.has(code)
}

interface Answer {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

/** The node's own error, where there was one: it stands in `details` as it was received. */
function answerOf({ details }: PosternError): Answer | undefined {
  if (typeof details !== 'object' || details === null) return undefined
  const { code, message } = details as Partial<Answer>
  return typeof code === 'number' && typeof message === 'string' ? (details as Answer) : undefined
}

/** Errors of libraries are nested less deep. */
const maxNesting = 16

/** The code of ours that an error has, or one that it wraps; undefined where the node answered, and for any other error. */
function posternCode(error: unknown): ErrorCode | undefined {
  let at = error as Nested | undefined
  for (let depth = 0; depth < maxNesting && typeof at === 'object' && at !== null; depth++) {
    if (isPosternError(at)) return answerOf(at) === undefined ? at.code : undefined
    // ethers keeps no cause, but the number, message and data of each error.
    const code = (at.data as { readonly postern?: ErrorCode } | null | undefined)?.postern
    if (code !== undefined) return code
    at = at.cause ?? at.error ?? at.info?.error
  }
  return undefined
}

/** How libraries nest errors. */
interface Nested {
  readonly data?: unknown
  readonly cause?: Nested
  readonly error?: Nested
  readonly info?: { readonly error?: Nested }
}
