/**
 * Where `local:` names live: a directory that only this user can enter. Servers and clients look in the same order:
 * `$XDG_RUNTIME_DIR/postern`, `/run/user/UID/postern`, `/tmp/postern-UID`.
 */

import type { Stats } from 'node:fs'
import { chmod, lstat, mkdir, stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { PosternError } from '../core/errors.ts'
import { ownUid } from './identity.ts'
import { formatMode, fromNodeError, nodeErrorCode } from './node-error.ts'

/** Where the candidates stand; the defaults are what the system says. */
export interface RuntimeRoots {
  /** `$XDG_RUNTIME_DIR`; ignored unless absolute, as its specification says. */
  readonly xdg?: string | undefined
  /** The directory of all users' runtime directories. */
  readonly runUser?: string
  readonly tmp?: string
}

interface Candidate {
  /** Must exist and be safe before the directory is made in it. */
  readonly base: string
  readonly directory: string
  /** The base belongs to one user: of another's, as after `su`, the next candidate is used. */
  readonly private: boolean
}

/** The directory for a server's `local:` names, made with mode 0700 when absent. `permission_denied` when it is not private. */
export async function makeRuntimeDirectory(roots: RuntimeRoots = {}): Promise<string> {
  const { directory } = await candidateForServer(roots)
  await makePrivate(directory)
  return directory
}

/** The directory that `makeRuntimeDirectory` would give, and its mode and owner if it is there. Rejects as that does. */
export async function lookAtRuntimeDirectory(
  roots: RuntimeRoots = {},
): Promise<{ readonly directory: string; readonly status: Stats | undefined }> {
  const { directory } = await candidateForServer(roots)
  const status = await statusOf(directory)
  if (status !== undefined) refuseUnlessPrivate(directory, status)
  return { directory, status }
}

async function candidateForServer(roots: RuntimeRoots): Promise<Candidate> {
  for (const candidate of candidates(roots)) if (await usable(candidate)) return candidate
  throw new PosternError(
    'not_supported',
    'no directory for local: names exists, not even /tmp; set XDG_RUNTIME_DIR to a directory of mode 0700',
  )
}

/**
 * The path of the socket that a client means by `local:` and this name. `no_listener` when no directory has it,
 * naming those that were looked in; `permission_denied` when one of them is not private.
 */
export async function findLocalSocket(name: string, roots: RuntimeRoots = {}): Promise<string> {
  const searched: string[] = []
  for (const candidate of candidates(roots)) {
    searched.push(candidate.directory)
    if (!(await usable(candidate))) continue
    const status = await statusOf(candidate.directory)
    if (status === undefined) continue
    refuseUnlessPrivate(candidate.directory, status)
    const path = join(candidate.directory, name)
    if ((await statusOf(path)) !== undefined) return path
  }
  throw new PosternError(
    'no_listener',
    `nothing listens at local:${name}: no socket of that name in ${searched.join(', ')}; start the server, as the same user`,
  )
}

/** Every directory that `local:` names of this user may lie in, there or not, in the order in which they are looked for. */
export function runtimeDirectories(roots: RuntimeRoots = {}): string[] {
  return candidates(roots).map(({ directory }) => directory)
}

/**
 * Those of them that exist and are private. Beside them the error for each that is there and not private: it cannot be
 * trusted, and what is in it is not looked at.
 */
export async function existingRuntimeDirectories(
  roots: RuntimeRoots = {},
): Promise<{ readonly directories: readonly string[]; readonly refusals: readonly PosternError[] }> {
  const directories: string[] = []
  const refusals: PosternError[] = []
  for (const candidate of candidates(roots)) {
    try {
      if (!(await usable(candidate))) continue
      const status = await statusOf(candidate.directory)
      if (status === undefined) continue
      refuseUnlessPrivate(candidate.directory, status)
      directories.push(candidate.directory)
    } catch (error) {
      refusals.push(fromNodeError(error, 'look into', candidate.directory))
    }
  }
  return { directories, refusals }
}

function candidates(roots: RuntimeRoots): Candidate[] {
  const uid = String(ownUid())
  const xdg = 'xdg' in roots ? roots.xdg : process.env['XDG_RUNTIME_DIR']
  const runUser = join(roots.runUser ?? '/run/user', uid)
  const tmp = roots.tmp ?? '/tmp'
  const found: Candidate[] = []
  if (xdg !== undefined && isAbsolute(xdg)) found.push({ base: xdg, directory: join(xdg, 'postern'), private: true })
  if (runUser !== xdg) found.push({ base: runUser, directory: join(runUser, 'postern'), private: true })
  found.push({ base: tmp, directory: join(tmp, `postern-${uid}`), private: false })
  return found
}

/** False: not there, or a private directory of somebody else. Others must not be able to swap what we make in it. */
async function usable({ base, private: ofOneUser }: Candidate): Promise<boolean> {
  const status = await stat(base).catch(() => undefined)
  if (status === undefined || !status.isDirectory()) return false
  if (ofOneUser && status.uid !== ownUid()) return false
  const writable = (status.mode & 0o022) !== 0 && (status.mode & 0o1000) === 0
  const foreign = status.uid !== ownUid() && status.uid !== 0
  if (!writable && !foreign) return true
  throw new PosternError(
    'permission_denied',
    `directory ${base} has mode ${formatMode(status.mode)} and owner uid ${status.uid}, so that others could replace what is in it; chmod go-w ${base} or set XDG_RUNTIME_DIR to a private directory`,
  )
}

async function makePrivate(directory: string): Promise<void> {
  try {
    await mkdir(directory, { mode: 0o700 })
    // The umask may have taken our own rights.
    await chmod(directory, 0o700)
  } catch (error) {
    if (nodeErrorCode(error) !== 'EEXIST') throw fromNodeError(error, 'make', directory)
  }
  const status = await statusOf(directory)
  if (status === undefined)
    throw new PosternError('busy', `directory ${directory} was removed while this server started; start it again`)
  refuseUnlessPrivate(directory, status)
}

function refuseUnlessPrivate(directory: string, status: Stats): void {
  const uid = ownUid()
  const fix = `remove it or set XDG_RUNTIME_DIR to a private directory`
  if (!status.isDirectory()) {
    const what = status.isSymbolicLink() ? 'a symbolic link' : 'not a directory'
    throw new PosternError('permission_denied', `${directory}, the directory of local: names, is ${what}; ${fix}`)
  }
  if (status.uid !== uid) {
    throw new PosternError(
      'permission_denied',
      `directory ${directory} belongs to uid ${status.uid}, not to uid ${uid} of this process; ${fix}`,
    )
  }
  if ((status.mode & 0o077) === 0) return
  throw new PosternError(
    'permission_denied',
    `directory ${directory} has mode ${formatMode(status.mode)}, which lets others in; chmod 700 ${directory}`,
  )
}

async function statusOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path)
  } catch (error) {
    if (nodeErrorCode(error) === 'ENOENT') return undefined
    throw fromNodeError(error, 'look at', path)
  }
}
