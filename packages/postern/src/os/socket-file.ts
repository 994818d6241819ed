/** What has a name in a directory, and whether we may treat it as a socket of ours. */

import type { BigIntStats } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { PosternError } from '../core/errors.ts'
import { ownUid } from './identity.ts'
import { fromNodeError, nodeErrorCode } from './node-error.ts'

/** What the path itself is, a symbolic link not followed; undefined: nothing. */
export async function lookAt(path: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true })
  } catch (error) {
    if (nodeErrorCode(error) === 'ENOENT') return undefined
    throw fromNodeError(error, 'look at', path)
  }
}

/** Rejects anything but a socket of this user: a probe alone would call a regular file a dead socket. */
export function refuseForeign(path: string, status: BigIntStats): void {
  if (!status.isSocket()) {
    throw new PosternError(
      'bad_address',
      `${path} is ${kindOf(status)}, not a socket, and stays as it is; move it away or choose another path`,
    )
  }
  const uid = ownUid()
  if (status.uid === BigInt(uid)) return
  throw new PosternError(
    'permission_denied',
    `the socket at ${path} belongs to uid ${status.uid}, this process runs as uid ${uid}, so it stays as it is; choose another path`,
  )
}

/** The kind of a file, with its article. */
export function kindOf(status: BigIntStats): string {
  if (status.isFile()) return 'a regular file'
  if (status.isDirectory()) return 'a directory'
  if (status.isSymbolicLink()) return 'a symbolic link'
  if (status.isFIFO()) return 'a FIFO'
  return status.isSocket() ? 'a socket' : 'a device'
}
