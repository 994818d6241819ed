/**
 * Which paths may name a socket. Checked before any system call: Node 20 and 22 cut a path that is too long and listen
 * on what is left, so that a client of one server reaches another; Node 20 cuts at a NUL byte too.
 */

import { PosternError } from '../core/errors.ts'
import { resolveUserPath } from './user-path.ts'

/** Longest socket path in bytes: `sun_path` holds 108 on Linux and 104 on macOS and the BSDs, the last of them NUL. */
export const maxSocketPathBytes: number = process.platform === 'linux' ? 107 : 103

/** The absolute path that a user's path stands for; `~` is the home directory. `bad_address` for what cannot name a socket. */
export function resolveSocketPath(path: string): string {
  if (process.platform === 'win32') {
    throw new PosternError('not_supported', 'unix: addresses need a Unix system; use local: or pipe: on Windows')
  }
  if (path.startsWith('@') || path.startsWith('\0')) {
    throw new PosternError(
      'bad_address',
      `abstract socket name ${JSON.stringify(path)} is refused: any user can connect to it or take it; use a path (./@name for a file of that name)`,
    )
  }
  const absolute = resolveUserPath(path, 'socket path')
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
