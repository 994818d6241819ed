/** The sockets behind the `local:` names of this user: which there are, and tidying them up. */

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { PosternError } from '../core/errors.ts'
import { fromNodeError, nodeErrorCode } from './node-error.ts'
import { existingRuntimeDirectories, type RuntimeRoots } from './runtime-dir.ts'
import { lookAt } from './socket-file.ts'
import { removeDeadSocketName, sweepSocketDirectory } from './socket-name.ts'
import { maxSocketPathBytes } from './socket-path.ts'
import { claimPrefix, nestPrefix } from './socket-place.ts'
import { probeSocket } from './socket-probe.ts'

/** Each probe holds a descriptor. */
const probesAtOnce = 16

/** A socket in a directory of `local:` names. */
export interface LocalSocket {
  /** As it stands behind `local:`. Where several directories have it, a client means the first of them. */
  readonly name: string
  readonly path: string
  /** Whether somebody listens. Nobody does: a server was killed, and the next one or `cleanLocalSockets` takes it away. */
  readonly alive: boolean
  /** The owner. */
  readonly uid: number
  /** Permission bits. */
  readonly mode: number
}

/** What became of the dead sockets. */
export interface CleanedSockets {
  readonly removed: readonly LocalSocket[]
  /** Those that could not be removed, and why. */
  readonly failed: readonly { readonly socket: LocalSocket; readonly error: PosternError }[]
}

/**
 * All sockets in the runtime directories of this user, by name. Rejects with the `permission_denied` of a directory
 * that is not private, if there is nothing else to tell.
 */
export async function listLocalSockets(roots?: RuntimeRoots): Promise<readonly LocalSocket[]> {
  const { directories, refusals } = await existingRuntimeDirectories(roots)
  const paths: { readonly name: string; readonly path: string }[] = []
  for (const directory of directories) {
    for (const name of await namesIn(directory)) paths.push({ name, path: join(directory, name) })
  }
  const sockets = await inLanes(paths, examine)
  const [refusal] = refusals
  if (sockets.length === 0 && refusal !== undefined) throw refusal
  return sockets.sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)))
}

/**
 * Removes the dead among these sockets, by the claim chain: never a live one, also when a server starts at this moment.
 * What killed servers left beside them while they took a name goes too, once it is a minute old.
 */
export async function cleanLocalSockets(roots?: RuntimeRoots): Promise<CleanedSockets> {
  const removed: LocalSocket[] = []
  const failed: { socket: LocalSocket; error: PosternError }[] = []
  for (const socket of await listLocalSockets(roots)) {
    if (socket.alive) continue
    try {
      if (await removeDeadSocketName(socket.path)) removed.push(socket)
    } catch (error) {
      failed.push({ socket, error: fromNodeError(error, 'remove', socket.path) })
    }
  }
  const { directories } = await existingRuntimeDirectories(roots)
  // What cannot be swept now is swept by the next server that starts.
  for (const directory of directories) await sweepSocketDirectory(directory).catch(() => undefined)
  return { removed, failed }
}

/** The names that can be sockets' of servers: helper names and what is too long to be connected to are left out. */
async function namesIn(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (nodeErrorCode(error) === 'ENOENT') return []
    throw fromNodeError(error, 'look into', directory)
  })
  return names.filter(
    (name) =>
      !name.startsWith(nestPrefix) &&
      !name.startsWith(claimPrefix) &&
      Buffer.byteLength(join(directory, name)) <= maxSocketPathBytes,
  )
}

async function examine({ name, path }: { name: string; path: string }): Promise<LocalSocket | undefined> {
  const status = await lookAt(path)
  if (status?.isSocket() !== true) return undefined
  const alive = (await probeSocket(path)) === 'alive'
  return { name, path, alive, uid: Number(status.uid), mode: Number(status.mode) & 0o7777 }
}

/** The results that are not undefined, in the order of the items. */
async function inLanes<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result | undefined>,
): Promise<Result[]> {
  const results: (Result | undefined)[] = []
  const left = items.entries()
  const lane = async (): Promise<void> => {
    for (const [index, item] of left) results[index] = await work(item)
  }
  await Promise.all(Array.from({ length: probesAtOnce }, lane))
  return results.filter((result) => result !== undefined)
}
