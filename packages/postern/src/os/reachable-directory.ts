/** Whether other users get to a socket at all, whatever its own mode. */

import { realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import { PosternError } from '../core/errors.ts'
import { formatMode } from './node-error.ts'
import { runtimeDirectories } from './runtime-dir.ts'
import { checkSocketDirectory } from './safe-directory.ts'
import { lookAt } from './socket-file.ts'
import { resolveSocketPath } from './socket-path.ts'

const anybodyElseEnters = 0o011

/** How a socket is made to which all users may connect, who are chosen then. `permission_denied` where they cannot get there. */
export async function openSocketOptions(path: string): Promise<{ readonly mode: 0o666 }> {
  const directory = await checkSocketDirectory(dirname(resolveSocketPath(path)))
  await refuseHidden(path, directory, directory)
  return { mode: 0o666 }
}

/**
 * Refuses a directory for a socket to which others are to get, and cannot: one for `local:` names, or one that lies in
 * what nobody else may enter. `lowest` is where that is looked for first: above the directory, if its own mode is yet to be.
 */
export async function refuseHidden(
  socketPath: string,
  directory: string,
  lowest: string = dirname(directory),
): Promise<void> {
  for (const runtime of runtimeDirectories()) {
    const real = await realpath(runtime).catch(() => runtime)
    if (directory !== real && !directory.startsWith(`${real}/`)) continue
    throw new PosternError(
      'permission_denied',
      `${socketPath} lies in ${runtime}, the directory of local: names, which no other user may enter, so that none can reach it; give an address outside it, such as unix:/run/app/app.sock`,
    )
  }
  for (let at = lowest; at !== dirname(at); at = dirname(at)) {
    const mode = Number((await lookAt(at))?.mode ?? 0n)
    if ((mode & anybodyElseEnters) !== 0) continue
    throw new PosternError(
      'permission_denied',
      `directory ${at} has mode ${formatMode(mode)}, so that no other user gets through it to ${socketPath}; use a directory elsewhere, or chmod o+x ${at}`,
    )
  }
}
