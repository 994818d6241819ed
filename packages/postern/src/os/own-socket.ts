/** Our listening socket before it has a public name, and the system calls of the claim chain on its behalf. */

import { chmod, link, mkdtemp, rename, rmdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { nowMs } from '../core/deadline.ts'
import { PosternError } from '../core/errors.ts'
import type { ClaimDirectory } from './claim-chain.ts'
import { giveToGroup } from './group.ts'
import { fromNodeError, lacksHardLinks, nodeErrorCode } from './node-error.ts'
import { lookAt, refuseForeign } from './socket-file.ts'
import { nestPrefix, type SocketPlace } from './socket-place.ts'
import { type Liveness, probeSocket } from './socket-probe.ts'

/** The socket inside its nest. */
export const nestedSocket = 's'
/** A second link to it, for the moment in which it replaces another. */
export const nestedCopy = 't'

/** A claimant holds a claim for some file operations; the next one looks again soon, each at another moment. */
const claimPauseMs = 5

/** Who may connect. */
export interface SocketAccess {
  readonly mode: number
  /** The group that owns the socket; the process's own when absent. */
  readonly gid?: number
}

/**
 * Makes a directory that nobody else can enter, has `listen` bind and listen in it, and sets the mode there, so that
 * no other mode is ever visible and no process-wide umask is touched (worker threads share it).
 */
export async function makeOwnSocket(
  place: SocketPlace,
  listen: (temporaryPath: string) => Promise<void>,
  options: { readonly access: SocketAccess; readonly deadlineMs: number },
): Promise<OwnSocket> {
  const nest = await makeNest(place)
  try {
    const path = join(nest, nestedSocket)
    await listen(path)
    if (options.access.gid !== undefined) await giveToGroup(path, options.access.gid)
    await chmod(path, options.access.mode)
    const status = await lookAt(path)
    if (status === undefined)
      throw new PosternError(
        'busy',
        `directory ${place.directory} was cleared while ${place.path} was taken; start again`,
      )
    return new OwnSocket(place, nest, { own: status.ino, dueMs: nowMs() + options.deadlineMs })
  } catch (error) {
    await removeNest(nest)
    throw fromNodeError(error, 'make a socket for', place.path)
  }
}

/** The real `ClaimDirectory`. */
export class OwnSocket implements ClaimDirectory {
  readonly own: bigint
  readonly #place: SocketPlace
  readonly #nest: string
  readonly #dueMs: number

  constructor(place: SocketPlace, nest: string, { own, dueMs }: { readonly own: bigint; readonly dueMs: number }) {
    this.own = own
    this.#place = place
    this.#nest = nest
    this.#dueMs = dueMs
  }

  async link(name: string): Promise<boolean> {
    if (nowMs() > this.#dueMs) throw this.#late(name)
    try {
      await link(join(this.#nest, nestedSocket), this.#at(name))
      return true
    } catch (error) {
      if (nodeErrorCode(error) === 'EEXIST') return false
      throw this.#linkError(error)
    }
  }

  async inode(name: string): Promise<bigint | undefined> {
    const status = await lookAt(this.#at(name))
    if (status !== undefined) refuseForeign(this.#shown(name), status)
    return status?.ino
  }

  probe(name: string): Promise<Liveness> {
    return probeSocket(this.#at(name))
  }

  /** Renaming one link of a file over another does nothing, so what is renamed must be a link that we do not need. */
  async replace(name: string): Promise<void> {
    const copy = join(this.#nest, nestedCopy)
    try {
      await link(join(this.#nest, nestedSocket), copy)
      await rename(copy, this.#at(name))
    } catch (error) {
      await removeIfThere(copy)
      throw fromNodeError(error, 'take over', this.#shown(name))
    }
  }

  async remove(name: string): Promise<void> {
    await removeIfThere(this.#at(name))
  }

  async occupied(name: string): Promise<void> {
    if (name === this.#place.name) throw liveServer(this.#place.path)
    if (nowMs() > this.#dueMs) throw this.#late(name)
    await sleep(1 + Math.random() * claimPauseMs)
  }

  /** Removes the helper names; the public name stays. */
  async leaveNest(): Promise<void> {
    await removeNest(this.#nest)
  }

  #at(name: string): string {
    return this.#place.prefix + name
  }

  #shown(name: string): string {
    return name === this.#place.name ? this.#place.path : join(this.#place.directory, name)
  }

  #late(name: string): PosternError {
    const holder =
      name === this.#place.name
        ? 'its owners keep changing'
        : `another process holds the claim ${this.#shown(name)} on it`
    return new PosternError(
      'busy',
      `${this.#place.path} could not be taken in time: ${holder}; look for a stopped process or choose another path`,
    )
  }

  #linkError(error: unknown): PosternError {
    const { path, directory } = this.#place
    if (lacksHardLinks(error)) {
      return new PosternError(
        'not_supported',
        `the file system of ${directory} makes no hard links, without which no name can be taken safely, neither a new one nor one of a dead socket; use a directory on a local file system, such as /run or /tmp`,
        { cause: error },
      )
    }
    if (nodeErrorCode(error) === 'ENOENT') {
      return new PosternError('busy', `directory ${directory} was cleared while ${path} was taken; start again`, {
        cause: error,
      })
    }
    return fromNodeError(error, 'take', path)
  }
}

function liveServer(path: string): PosternError {
  return new PosternError(
    'address_in_use',
    `a live server owns ${path}; stop it or choose another path, such as ${beside(path)}`,
  )
}

/** `/run/app.sock` becomes `/run/app-2.sock`. */
function beside(path: string): string {
  const dot = path.lastIndexOf('.')
  return dot > path.lastIndexOf('/') + 1 ? `${path.slice(0, dot)}-2${path.slice(dot)}` : `${path}-2`
}

async function makeNest(place: SocketPlace): Promise<string> {
  try {
    const nest = await mkdtemp(place.prefix + nestPrefix)
    await openToOwner(nest)
    return nest
  } catch (error) {
    throw fromNodeError(error, 'make a directory in', place.directory)
  }
}

/** A umask such as 0177, under which others make sockets private, takes our own right to enter. */
async function openToOwner(nest: string): Promise<void> {
  try {
    await chmod(nest, 0o700)
  } catch (error) {
    await removeNest(nest)
    throw error
  }
}

/** Removes a nest with all that can be in it. Never rejects: what cannot be removed stays for a later sweep. */
export async function removeNest(nest: string): Promise<void> {
  const goOn = (): void => undefined
  await unlink(join(nest, nestedSocket)).catch(goOn)
  await unlink(join(nest, nestedCopy)).catch(goOn)
  await rmdir(nest).catch(goOn)
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (nodeErrorCode(error) !== 'ENOENT') throw fromNodeError(error, 'remove', path)
  }
}
