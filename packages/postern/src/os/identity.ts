/** Who this process is, as the file system sees it. */

import { PosternError } from '../core/errors.ts'

/** The effective user id: the owner of every file that this process makes. `not_supported` where users have no number. */
export function ownUid(): number {
  const uid = process.geteuid?.()
  if (uid === undefined)
    throw new PosternError('not_supported', 'unix sockets need a system with user ids; use local: here')
  return uid
}
