/** Taking a socket's public name, and giving it back. */

import { lstatSync, unlinkSync } from 'node:fs'
import { unlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type ClaimDirectory, removeDeadName, takeName } from './claim-chain.ts'
import { leftoverAgeMs, sweepLeftovers } from './leftovers.ts'
import { fromNodeError, nodeErrorCode } from './node-error.ts'
import { makeOwnSocket, type SocketAccess } from './own-socket.ts'
import { lookAt } from './socket-file.ts'
import { openSocketPlace, type SocketPlace } from './socket-place.ts'

/** A name that is ours until it is released. */
export interface SocketName {
  /** Absolute, as its user wrote it. */
  readonly path: string
  /** The inode of the socket that has the name. */
  readonly inode: bigint
  /** The same name in the real directory, whatever symbolic links lead there by now. */
  readonly realPath: string
  /** Removes the name if it is still ours; somebody else's stays. To be called while the socket still listens. */
  release(): Promise<void>
  /** The same at once, for the last moment of a process. */
  releaseSync(): void
}

/** How a name is taken. */
export interface AcquireOptions {
  /** Who may connect: only this user (0600) unless said. */
  readonly access?: SocketAccess
  /** How long others that take the same name may hold us up. */
  readonly deadlineMs?: number
  /** How old the remains of killed servers must be to be removed. */
  readonly leftoverAgeMs?: number
  /** Is awaited before every step of the claim chain: tests put pauses and crashes there. */
  readonly pause?: Pause
}

/** Told the step to come and the name that it is about. */
export type Pause = (step: string, name: string) => Promise<void>

/** A takeover takes milliseconds; a process that stands still amid one is waited for this long. */
const defaultDeadlineMs = 5_000

/**
 * Makes `path` the name of a new listening socket of ours, by the claim chain. `listen` is called once, with the path
 * at which it has to bind and listen.
 *
 * `address_in_use` when a live server has the name; `bad_address` and `permission_denied` for what must not be touched
 * there, which is left as it was; `busy` when the deadline passes; `not_supported` without hard links. The caller closes
 * its socket when this rejects.
 */
export async function acquireSocketName(
  path: string,
  listen: (temporaryPath: string) => Promise<void>,
  options: AcquireOptions = {},
): Promise<SocketName> {
  return await withOwnSocket(path, listen, options, async (place, directory) => {
    await takeName(directory, place.name)
    await sweepLeftovers(place, directory, options.leftoverAgeMs ?? leftoverAgeMs).catch(() => undefined)
    await options.pause?.('leave', place.name)
    return socketName(place, directory.own)
  })
}

/** Removes the name of a dead socket of this user. False: there was none, or a live one. Refuses what is not a socket of ours. */
export async function removeDeadSocketName(path: string, options: AcquireOptions = {}): Promise<boolean> {
  return await withClaimant(path, options, (place, directory) => removeDeadName(directory, place.name))
}

/** Removes what killed servers left in a directory while they took names there. */
export async function sweepSocketDirectory(directory: string, options: AcquireOptions = {}): Promise<void> {
  // A place has a name, and this one is not touched.
  const place = join(directory, 'sweep')
  await withClaimant(place, options, (swept, own) => sweepLeftovers(swept, own, options.leftoverAgeMs ?? leftoverAgeMs))
}

/** Claims are links to a listening socket, also for those who do not want to serve. */
async function withClaimant<Result>(
  path: string,
  options: AcquireOptions,
  use: (place: SocketPlace, directory: ClaimDirectory) => Promise<Result>,
): Promise<Result> {
  const claimant = createServer((socket) => socket.destroy())
  const listen = (temporaryPath: string) =>
    new Promise<void>((resolve, reject) => {
      claimant.once('error', reject)
      claimant.listen({ path: temporaryPath, exclusive: true }, resolve)
    })
  try {
    return await withOwnSocket(path, listen, options, use)
  } finally {
    claimant.close()
  }
}

async function withOwnSocket<Result>(
  path: string,
  listen: (temporaryPath: string) => Promise<void>,
  options: AcquireOptions,
  use: (place: SocketPlace, directory: ClaimDirectory) => Promise<Result>,
): Promise<Result> {
  const place = await openSocketPlace(path)
  try {
    const socket = await makeOwnSocket(place, listen, {
      access: options.access ?? { mode: 0o600 },
      deadlineMs: options.deadlineMs ?? defaultDeadlineMs,
    })
    try {
      return await use(place, options.pause === undefined ? socket : withPauses(socket, options.pause))
    } finally {
      await socket.leaveNest()
    }
  } finally {
    await place.close()
  }
}

function socketName(place: SocketPlace, inode: bigint): SocketName {
  const realPath = join(place.directory, place.name)
  return {
    path: place.path,
    inode,
    realPath,
    async release() {
      if ((await lookAt(realPath))?.ino !== inode) return
      try {
        await unlink(realPath)
      } catch (error) {
        if (nodeErrorCode(error) !== 'ENOENT') throw fromNodeError(error, 'remove', realPath)
      }
    },
    releaseSync() {
      try {
        if (lstatSync(realPath, { bigint: true }).ino === inode) unlinkSync(realPath)
      } catch (error) {
        if (nodeErrorCode(error) !== 'ENOENT') throw fromNodeError(error, 'remove', realPath)
      }
    },
  }
}

function withPauses(directory: ClaimDirectory, pause: Pause): ClaimDirectory {
  const after = async <Result>(step: string, name: string, run: () => Promise<Result>): Promise<Result> => {
    await pause(step, name)
    return await run()
  }
  return {
    own: directory.own,
    link: (name) => after('link', name, () => directory.link(name)),
    inode: (name) => after('inode', name, () => directory.inode(name)),
    probe: (name) => after('probe', name, () => directory.probe(name)),
    replace: (name) => after('replace', name, () => directory.replace(name)),
    remove: (name) => after('remove', name, () => directory.remove(name)),
    occupied: (name) => after('occupied', name, () => directory.occupied(name)),
  }
}
