/**
 * Sockets for a group: mode 0660 in a directory of mode 0750, both of that group. So the directory decides who reaches
 * the socket, and only this user puts names there.
 */

import type { BigIntStats } from 'node:fs'
import { chmod, mkdir, rmdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PosternError } from '../core/errors.ts'
import { giveToGroup, resolveGroup } from './group.ts'
import { ownUid } from './identity.ts'
import { formatMode, fromNodeError, nodeErrorCode } from './node-error.ts'
import { refuseHidden } from './reachable-directory.ts'
import { checkSocketDirectory } from './safe-directory.ts'
import { lookAt } from './socket-file.ts'
import { resolveSocketPath } from './socket-path.ts'

/** Making a directory takes three calls: what was made longer ago than this is not being made. */
const makingMs = 1_000
const makingPauseMs = 10

const groupEnters = 0o010
const groupWritesOrOthers = 0o027

/** Prepares the directory of a socket that is for a group, and says how the socket is to be made. */
export async function groupSocketOptions(
  path: string,
  group: string | number,
): Promise<{ readonly mode: 0o660; readonly gid: number }> {
  const gid = await resolveGroup(group)
  await prepareGroupDirectory(path, gid)
  return { mode: 0o660, gid }
}

/**
 * Sees to it that the directory of `socketPath` lets the group in, and nobody else. A missing one is made, never wider
 * for a moment; what is above it must exist and be safe. One that exists is not changed.
 *
 * `permission_denied` says which directory has which mode, and what to do; or that only a member may give to the group.
 */
export async function prepareGroupDirectory(socketPath: string, gid: number): Promise<void> {
  const directory = dirname(resolveSocketPath(socketPath))
  if ((await lookAt(directory)) === undefined) {
    const missing = join(await checkSocketDirectory(dirname(directory)), basename(directory))
    await refuseHidden(socketPath, missing)
    if (await makeForGroup(missing, gid)) return
  }
  const found = await checkSocketDirectory(directory)
  await refuseHidden(socketPath, found)
  refuseUnlessForGroup(found, gid, await whenMade(found))
}

/** False: there is something of that name already. */
async function makeForGroup(directory: string, gid: number): Promise<boolean> {
  try {
    await mkdir(directory, { mode: 0o700 })
  } catch (error) {
    if (nodeErrorCode(error) === 'EEXIST') return false
    throw fromNodeError(error, 'make', directory)
  }
  try {
    await giveToGroup(directory, gid)
    await chmod(directory, 0o750)
    return true
  } catch (error) {
    await rmdir(directory).catch(() => undefined)
    throw fromNodeError(error, 'set the mode of', directory)
  }
}

/** What the directory is, once another server that may be making it at this moment has had its time. */
async function whenMade(directory: string): Promise<BigIntStats> {
  for (;;) {
    const status = await lookAt(directory)
    if (status === undefined)
      throw new PosternError('busy', `directory ${directory} was removed while this server started; start it again`)
    const privateYet = status.uid === BigInt(ownUid()) && (status.mode & 0o077n) === 0n
    if (!privateYet || Math.abs(Date.now() - Number(status.ctimeMs)) > makingMs) return status
    await sleep(makingPauseMs)
  }
}

function refuseUnlessForGroup(directory: string, gid: number, status: BigIntStats): void {
  const mode = Number(status.mode)
  const rightMode = (mode & groupEnters) !== 0 && (mode & groupWritesOrOthers) === 0
  if (rightMode && status.gid === BigInt(gid)) return
  throw new PosternError(
    'permission_denied',
    `directory ${directory} has mode ${formatMode(mode)} and group ${status.gid}, the socket in it is for group ${gid} alone; chgrp ${gid} ${directory} && chmod 750 ${directory}, or use a directory of its own`,
  )
}
