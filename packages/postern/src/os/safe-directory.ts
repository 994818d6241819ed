/** Which directories may hold a socket: those in which nobody else can put, move or remove its name. */

import type { Stats } from 'node:fs'
import { lstat, realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import { PosternError } from '../core/errors.ts'
import { ownUid } from './identity.ts'
import { formatMode, fromNodeError, nodeErrorCode } from './node-error.ts'

const groupWritable = 0o020
const worldWritable = 0o002
const sticky = 0o1000

/**
 * The real path of the directory that is to hold a socket, once it is known to be safe: it and all above it belong to
 * this user or root, and nobody else may write into them. Sticky directories such as /tmp are fine: the system keeps
 * each user's names there. Above the directory itself writing by a group is let pass, as where each user has a group
 * of his own. Symbolic links are followed first; what counts is where they lead.
 */
export async function checkSocketDirectory(directory: string): Promise<string> {
  const real = await realDirectory(directory)
  const status = await lstat(real)
  if (!status.isDirectory()) {
    throw new PosternError(
      'bad_address',
      `${directory}, which is to hold the socket, is not a directory; correct the path`,
    )
  }
  refuseUnsafe(real, status, groupWritable | worldWritable)
  for (let at = real; at !== dirname(at); ) {
    at = dirname(at)
    refuseUnsafe(at, await lstat(at), worldWritable)
  }
  return real
}

function refuseUnsafe(directory: string, status: Stats, writable: number): void {
  const uid = ownUid()
  if (status.uid !== uid && status.uid !== 0) {
    throw new PosternError(
      'permission_denied',
      `directory ${directory} belongs to uid ${status.uid}, who could replace the socket; use one of ${uid === 0 ? 'root' : `uid ${uid} or root`}`,
    )
  }
  if ((status.mode & writable) === 0 || (status.mode & sticky) !== 0) return
  throw new PosternError(
    'permission_denied',
    `directory ${directory} has mode ${formatMode(status.mode)}, so that others could replace the socket; chmod go-w ${directory} or use a private directory`,
  )
}

async function realDirectory(directory: string): Promise<string> {
  try {
    return await realpath(directory)
  } catch (error) {
    if (nodeErrorCode(error) !== 'ENOENT') throw fromNodeError(error, 'look into', directory)
    throw new PosternError(
      'bad_address',
      `directory ${directory}, which is to hold the socket, does not exist; make it or correct the path`,
      { cause: error },
    )
  }
}
