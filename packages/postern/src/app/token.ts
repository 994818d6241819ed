/**
 * Tokens, where file permissions are not enough: the server requires one as the first call, the client shows it.
 */

import { isPosternError, PosternError } from '../core/errors.ts'
import { readToken } from '../os/token-file.ts'
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

/** Shows the token to the server. Rejects, with the session dropped, when it is not taken. */
export async function showToken(session: Session, option: TokenOption, address: string): Promise<void> {
  checkToken(option)
  try {
    await session.call('rpc.auth', [await readToken(option.file)])
  } catch (error) {
    session.abort()
    if (!isPosternError(error, 'unknown_method')) throw error
    throw new PosternError(
      'peer_rejected',
      `${address} does not ask for a token, so it is not the server that was meant; leave the option token out if it is`,
      { cause: error },
    )
  }
}
