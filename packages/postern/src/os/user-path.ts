/** Paths as their users write them. */

import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { PosternError } from '../core/errors.ts'

/**
 * The absolute path that a user's path stands for; `~` is the home directory. `bad_address` for what cannot name a
 * file; `kind` says there what the path is for, as in "socket path".
 */
export function resolveUserPath(path: string, kind: string): string {
  if (path === '') throw new PosternError('bad_address', `the ${kind} is empty; give one`)
  if (path.includes('\0')) {
    throw new PosternError('bad_address', `${kind} ${JSON.stringify(path)} contains a NUL byte; remove it`)
  }
  return resolve(expandHome(path, kind))
}

function expandHome(path: string, kind: string): string {
  if (path === '~' || path.startsWith('~/')) return homedir() + path.slice(1)
  if (!path.startsWith('~')) return path
  throw new PosternError(
    'bad_address',
    `${kind} ${path} names the home directory of another user, which is not looked up; write it out (./${path} for a file of that name)`,
  )
}
