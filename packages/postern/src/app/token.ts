/**
 * Tokens, where file permissions are not enough: the server requires one as the first call, the client shows it. What
 * reads them is loaded when there is one.
 */

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

/** Takes the token of a server from its file, which is made where it is missing. Returns what tells it from others. */
export async function tokenCheck({ file }: TokenOption): Promise<(shown: unknown) => boolean> {
  const { sameToken, takeToken } = await import('../os/token-file.ts')
  const token = await takeToken(file)
  return (shown) => typeof shown === 'string' && sameToken(shown, token)
}

/** Shows the token to the server. Rejects, with the session dropped, when it is not taken. */
export async function showToken(session: Session, option: TokenOption, address: string): Promise<void> {
  checkToken(option)
  try {
    const { readToken } = await import('../os/token-file.ts')
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
