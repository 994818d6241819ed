/** Groups of users, as the system knows them. */

import { execFile } from 'node:child_process'
import { chown, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { PosternError } from '../core/errors.ts'
import { ownUid } from './identity.ts'
import { fromNodeError, nodeErrorCode } from './node-error.ts'

/** The largest group id; the number after it means "no change" to the system. */
export const maxGroupId = 0xffff_fffe
/** Name services ask over the network, where nobody may answer. */
const nameServiceMs = 5_000

/**
 * The id of a group: what `/etc/group` says of the name, or else the system's other name services (`getent`). Digits
 * that are no group's name are the id itself, as for `chgrp`. `bad_address` when there is no such group.
 */
export async function resolveGroup(group: string | number): Promise<number> {
  if (typeof group === 'number') return checkedId(group)
  const id = (await idInFile(group)) ?? (await idFromNameService(group))
  if (id !== undefined) return id
  if (/^\d+$/.test(group)) return checkedId(Number(group))
  throw new PosternError(
    'bad_address',
    `this system knows no group ${JSON.stringify(group)}; make it (groupadd) or name another, by name or id`,
  )
}

/** Makes a group the owner of a file of ours. `permission_denied` unless we are a member of it, or root. */
export async function giveToGroup(path: string, gid: number): Promise<void> {
  try {
    await chown(path, -1, gid)
  } catch (error) {
    if (nodeErrorCode(error) !== 'EPERM') throw fromNodeError(error, `give to group ${gid}`, path)
    throw new PosternError(
      'permission_denied',
      `may not give ${path} to group ${gid}: you must be a member of the group, and uid ${ownUid()} is none; add it (usermod -aG), log in anew and start again`,
      { cause: error },
    )
  }
}

function checkedId(id: number): number {
  if (Number.isInteger(id) && id >= 0 && id <= maxGroupId) return id
  throw new TypeError(`group ${id}: give the name of a group or its id, 0 to ${maxGroupId}`)
}

async function idInFile(name: string): Promise<number | undefined> {
  return idIn(await readFile('/etc/group', 'utf8').catch(() => ''), name)
}

async function idFromNameService(name: string): Promise<number | undefined> {
  // It would be an option to getent.
  if (name.startsWith('-')) return undefined
  try {
    const { stdout } = await promisify(execFile)('getent', ['group', name], { timeout: nameServiceMs })
    return idIn(stdout, name)
  } catch {
    // No such group, or a system without getent.
    return undefined
  }
}

/** The id in lines of `name:password:id:members`. */
function idIn(lines: string, name: string): number | undefined {
  for (const line of lines.split('\n')) {
    const [found, , id] = line.split(':')
    if (found === name && id !== undefined && /^\d+$/.test(id)) return Number(id)
  }
  return undefined
}
