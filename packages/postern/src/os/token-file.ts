/**
 * The secret that a server shares with its clients where file permissions are not enough: a token of 256 bits, in a
 * file that only this user can read, or one group as well.
 */

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, link, open, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PosternError } from '../core/errors.ts'
import { ownUid } from './identity.ts'
import { formatMode, fromNodeError, lacksHardLinks, nodeErrorCode } from './node-error.ts'
import { kindOf, lookAt } from './socket-file.ts'
import { resolveUserPath } from './user-path.ts'

const tokenBytes = 32
/** What `randomBytes` gives as base64url has 43 characters; others may bring their own in base64 or hexadecimal. */
const tokenPattern = /^[A-Za-z0-9+/_-]{43,512}={0,2}$/
/** A hexadecimal digit carries 4 bits, so 256 need 64 of them. */
const shortHexadecimal = /^[0-9a-f]{0,63}$/i
/** More than the longest token and its newline. */
const maxTokenFileBytes = 1_024
/** A file that is gone as often as it is made has somebody else at work on it. */
const maxMakings = 10

/** The file is marked so until it is whole. */
const unfinishedPrefix = '.pt-'

const othersRead = 0o004
const othersWrite = 0o022

/**
 * The token that a client is to show. `no_listener` when there is no such file; else refuses as `takeToken` does, but
 * takes a file of any owner: that it may be read is how a group shares it.
 */
export async function readToken(file: string): Promise<string> {
  const path = resolveUserPath(file, 'path of the token file')
  const token = await readIfThere(path)
  if (token !== undefined) return token
  throw new PosternError(
    'no_listener',
    `no token file is at ${path}; start the server, which makes it, or correct the path`,
  )
}

/**
 * The token that a server is to ask for, made with its file where there is none. Of several that start at once all get
 * the same, and nobody ever sees a file that is not whole.
 *
 * `permission_denied` when the file belongs to another user than this one and root, or when others can read or write it
 * (a group may read it); `bad_address` when it is no regular file or holds no token of 256 bits.
 */
export async function takeToken(file: string): Promise<string> {
  const path = resolveUserPath(file, 'path of the token file')
  for (let makings = 0; makings < maxMakings; makings++) {
    const token = await readIfThere(path, refuseForeignOwner)
    if (token !== undefined) return token
    await makeTokenFile(path)
  }
  throw new PosternError(
    'busy',
    `the token file ${path} was removed ${maxMakings} times just after it was made; stop what removes it`,
  )
}

/** Whether two tokens are the same, in a time that tells nothing of either. */
export function sameToken(a: string, b: string): boolean {
  return timingSafeEqual(sha256(a), sha256(b))
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

type Check = (path: string, status: BigIntStats) => void

async function readIfThere(path: string, alsoCheck?: Check): Promise<string | undefined> {
  const seen = await lookAt(path)
  if (seen === undefined) return undefined
  refuseUnlessFile(path, seen)
  const handle = await openForReading(path)
  try {
    // What is open now may not be what was seen.
    const status = await handle.stat({ bigint: true })
    refuseUnlessFile(path, status)
    alsoCheck?.(path, status)
    refuseIfOpenToOthers(path, Number(status.mode))
    return tokenIn(path, await readStart(handle))
  } finally {
    await handle.close()
  }
}

async function openForReading(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    throw fromNodeError(error, 'read the token in', path)
  }
}

async function readStart(handle: FileHandle): Promise<string> {
  const buffer = Buffer.alloc(maxTokenFileBytes)
  const { bytesRead } = await handle.read(buffer, 0, maxTokenFileBytes, 0)
  return buffer.toString('latin1', 0, bytesRead)
}

function tokenIn(path: string, text: string): string {
  const token = text.replace(/\r?\n$/, '')
  if (tokenPattern.test(token) && !shortHexadecimal.test(token)) return token
  throw new PosternError(
    'bad_address',
    `${path} holds no token of 256 bits, one line of at least 43 base64 characters or 64 hexadecimal digits; correct the path, or remove the file so that the server makes a new one`,
  )
}

function refuseUnlessFile(path: string, status: BigIntStats): void {
  if (status.isFile()) return
  throw new PosternError(
    'bad_address',
    `${path}, which is to hold the token, is ${kindOf(status)}, not a regular file; correct the path`,
  )
}

function refuseForeignOwner(path: string, status: BigIntStats): void {
  const uid = ownUid()
  if (status.uid === BigInt(uid) || status.uid === 0n) return
  throw new PosternError(
    'permission_denied',
    `token file ${path} belongs to uid ${status.uid}, who knows it, this process runs as uid ${uid}; choose another path`,
  )
}

function refuseIfOpenToOthers(path: string, mode: number): void {
  if ((mode & (othersRead | othersWrite)) === 0) return
  const others = (mode & othersRead) === 0 ? 'write' : 'read'
  throw new PosternError(
    'permission_denied',
    `token file ${path} has mode ${formatMode(mode)}, so that others can ${others} it; remove it so that the server makes a new one, or chmod 600 ${path} (640 for a group) if nobody has`,
  )
}

/** Makes the file under another name first. That somebody else was faster is no failure. */
async function makeTokenFile(path: string): Promise<void> {
  const unfinished = join(dirname(path), unfinishedPrefix + randomBytes(6).toString('hex'))
  await writeToken(unfinished, path)
  try {
    await link(unfinished, path)
  } catch (error) {
    if (nodeErrorCode(error) !== 'EEXIST') throw linkError(error, path)
  } finally {
    await unlink(unfinished).catch(() => undefined)
  }
}

async function writeToken(unfinished: string, path: string): Promise<void> {
  try {
    const handle = await open(unfinished, 'wx', 0o600)
    try {
      // The umask may have taken our own rights.
      await handle.chmod(0o600)
      await handle.writeFile(`${randomBytes(tokenBytes).toString('base64url')}\n`)
      // A loss of power must not leave an empty file behind that name.
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    await unlink(unfinished).catch(() => undefined)
    throw nodeErrorCode(error) === 'ENOENT'
      ? noDirectory(error, path)
      : fromNodeError(error, 'write the token to', path)
  }
}

function noDirectory(error: unknown, path: string): PosternError {
  return new PosternError(
    'bad_address',
    `directory ${dirname(path)}, which is to hold the token file, does not exist; make it or correct the path`,
    { cause: error },
  )
}

function linkError(error: unknown, path: string): PosternError {
  if (!lacksHardLinks(error)) return fromNodeError(error, 'make the token file', path)
  return new PosternError(
    'not_supported',
    `the file system of ${dirname(path)} makes no hard links, without which no token file can be made safely; use a directory on a local file system`,
    { cause: error },
  )
}
