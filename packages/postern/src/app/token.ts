/**
 * Tokens, where file permissions are not enough: the server requires one as the first call, the client shows it. What
 * reads them is loaded when there is one.
 */

import type { Address } from '../core/address.ts'
import { isPosternError, PosternError } from '../core/errors.ts'
import type { Session } from '../rpc/session.ts'

/** Where the token is kept: a file, so that it stands in no address, no command line and no environment. */
export interface TokenOption {
  readonly file: string
}

/** Throws `TypeError` for what is no token option. */
export function checkToken(token: unknown): void {
  const file = typeof token === 'object' && token !== null && 'file' in token ? token.file : undefined
  if (typeof file !== 'string' || file === '')
    throw new TypeError('token is an object with the path of a file: { file }')
}

/** Refuses with `not_supported` a `tcp:` address of a server that says nothing of tokens, and another that says `false`. */
export function checkTokenPlace({ scheme, text }: Address, token: TokenOption | false | undefined): void {
  if (scheme === 'tcp' && token === undefined)
    throw new PosternError(
      'not_supported',
      `every user of this machine and every page in its browsers gets to ${text}: give it a token, { address, token: { file } }, or say that it needs none, { address, token: false }`,
    )
  if (scheme !== 'tcp' && token === false)
    throw new PosternError(
      'not_supported',
      `token: false is for tcp: addresses, which without it are refused; leave it out at ${text}`,
    )
}

/** Takes the token of a server from its file, which is made where it is missing. Returns what tells it from others. */
export async function tokenCheck({ file }: TokenOption): Promise<(shown: unknown) => boolean> {
  const { sameToken, takeToken } = await import('../os/token-file.ts')
  const token = await takeToken(file)
  return (shown) => typeof shown === 'string' && sameToken(shown, token)
}

/** What showing a token takes. */
export interface ShowTokenOptions {
  /** Names the server in errors. */
  readonly address: string
  /** How long the server may take to answer. */
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/**
 * Shows the token to the server. Rejects, with the session dropped, when it is not taken; in a way that may be tried
 * again when the connection ended before that was known.
 */
export async function showToken(
  session: Session,
  { file }: TokenOption,
  { address, timeoutMs, signal }: ShowTokenOptions,
): Promise<void> {
  try {
    const { readToken } = await import('../os/token-file.ts')
    const token = await readToken(file)
    await session.call('rpc.auth', [token], signal === undefined ? { timeoutMs } : { timeoutMs, signal })
  } catch (error) {
    session.abort()
    throw isPosternError(error) ? authError(error, address, timeoutMs) : error
  }
}

function authError(error: PosternError, address: string, timeoutMs: number): PosternError {
  if (error.code === 'unknown_outcome')
    return new PosternError('closed', `${address} ended the connection while it was shown the token`, { cause: error })
  if (error.code === 'deadline_exceeded') {
    const sentence = `${address} was shown the token and said nothing to it within limits.connectMs (${timeoutMs} ms)`
    return new PosternError('deadline_exceeded', sentence, { cause: error })
  }
  if (error.code !== 'unknown_method') return error
  const sentence = `${address} does not ask for a token, so it is not the server that was meant; leave the option token out if it is`
  return new PosternError('peer_rejected', sentence, { cause: error })
}
