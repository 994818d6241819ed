/**
 * Which paths may name a socket. Checked before any system call: Node 20 and 22 cut a path that is too long and listen
 * on what is left, so that a client of one server reaches another; Node 20 cuts at a NUL byte too.
 */

import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { PosternError } from '../core/errors.ts'

/** Longest socket path in bytes: `sun_path` holds 108 on Linux and 104 on macOS and the BSDs, the last of them NUL. */
export const maxSocketPathBytes: number = process.platform === 'linux' ? 107 : 103

/** The absolute path that a user's path stands for; `~` is the home directory. `bad_address` for what cannot name a socket. */
export function resolveSocketPath(path: string): string {
  if (process.platform === 'win32') {
    throw new PosternError('not_supported', 'unix: addresses need a Unix system; use local: or pipe: on Windows')
  }
  if (path === '') throw new PosternError('bad_address', 'the socket path is empty; give one, as in unix:/run/app.sock')
  if (path.startsWith('@') || path.startsWith('\0')) {
    throw new PosternError(
      'bad_address',
      `abstract socket name ${JSON.stringify(path)} is refused: any user can connect to it or take it; use a path (./@name for a file of that name)`,
    )
  }
  if (path.includes('\0')) {
    throw new PosternError('bad_address', `socket path ${JSON.stringify(path)} contains a NUL byte; remove it`)
  }
  const absolute = resolve(expandHome(path))
  const bytes = Buffer.byteLength(absolute)
  if (bytes > maxSocketPathBytes) {
    throw new PosternError(
      'bad_address',
      `socket path ${absolute} has ${bytes} bytes, the system allows ${maxSocketPathBytes}; use a shorter one`,
      { details: { bytes, limit: maxSocketPathBytes } },
    )
  }
  return absolute
}

function expandHome(path: string): string {
  if (path === '~' || path.startsWith('~/')) return homedir() + path.slice(1)
  if (!path.startsWith('~')) return path
  throw new PosternError(
    'bad_address',
    `socket path ${path} names the home directory of another user, which is not looked up; write it out (./${path} for a file of that name)`,
  )
}
