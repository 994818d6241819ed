/**
 * The one door through which Node's errors become `PosternError`s. Every sentence names the path and what its reader
 * can do; the Node error stays as `cause`.
 */

import { lstatSync, type Stats } from 'node:fs'
import { dirname } from 'node:path'
import { type ErrorCode, isPosternError, PosternError } from '../core/errors.ts'

type Meaning = readonly [code: ErrorCode, sentence: (attempt: string, path: string) => string]

const noDescriptor: Meaning = [
  'busy',
  (attempt, path) => `no file descriptor is left to ${attempt} ${path}; close some or raise ulimit -n`,
]
const noMemory: Meaning = [
  'busy',
  (attempt, path) => `the system has no memory to ${attempt} ${path} now; try again later`,
]
const noSpace: Meaning = ['busy', (attempt, path) => `cannot ${attempt} ${path}: the disk is full; free some space`]
const broken: Meaning = [
  'closed',
  (_attempt, path) => `the other side of ${path} broke the connection off; connect again once it is back`,
]
const refused: Meaning = [
  'permission_denied',
  (attempt, path) => `may not ${attempt} ${path}${explainPermission(path)}`,
]
const noSuchOperation: Meaning = [
  'not_supported',
  (attempt, path) => `the file system or platform cannot ${attempt} ${path}; use another directory`,
]

const meanings: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  [
    'ECONNREFUSED',
    [
      'no_listener',
      (_, path) => `the socket at ${path} is stale: its owner has gone; start the server, which takes it over`,
    ],
  ],
  ['ENOENT', ['no_listener', (_, path) => `nothing is at ${path}; start the server or correct the path`]],
  ['EACCES', refused],
  ['EPERM', refused],
  ['EROFS', ['permission_denied', (attempt, path) => `may not ${attempt} ${path}: its file system is read-only`]],
  ['EADDRINUSE', ['address_in_use', (_, path) => `a live server owns ${path}; stop it or choose another path`]],
  [
    'EAGAIN',
    ['busy', (_, path) => `the server at ${path} accepts no connection now, its backlog is full; try again later`],
  ],
  ['EMFILE', noDescriptor],
  ['ENFILE', noDescriptor],
  ['ENOBUFS', noMemory],
  ['ENOMEM', noMemory],
  ['ENOSPC', noSpace],
  ['EDQUOT', noSpace],
  ['ECONNRESET', broken],
  ['EPIPE', broken],
  ['ECONNABORTED', broken],
  ['ENOTCONN', broken],
  ['ENOTSOCK', ['bad_address', (_, path) => `${path} is not a socket; correct the path`]],
  ['EPROTOTYPE', ['bad_address', (_, path) => `${path} is a socket of another type than stream; correct the path`]],
  ['ENAMETOOLONG', ['bad_address', (_, path) => `${path} is longer than the system allows; use a shorter path`]],
  ['ENOTDIR', ['bad_address', (_, path) => `a part of ${path} is not a directory; correct the path`]],
  ['ELOOP', ['bad_address', (_, path) => `${path} leads through a loop of symbolic links; correct the path`]],
  ['ENOTSUP', noSuchOperation],
  ['EOPNOTSUPP', noSuchOperation],
  ['ENOSYS', noSuchOperation],
  ['ETIMEDOUT', ['deadline_exceeded', (attempt, path) => `the system gave up to ${attempt} ${path}; try again later`]],
])

/**
 * The `PosternError` that a Node error stands for. `attempt` is a verb phrase that goes before the path, as in
 * "connect to". One that is a `PosternError` already comes back as it is.
 */
export function fromNodeError(error: unknown, attempt: string, path: string): PosternError {
  if (isPosternError(error)) return error
  const code = nodeErrorCode(error)
  const meaning = code === undefined ? undefined : meanings.get(code)
  if (meaning !== undefined) return new PosternError(meaning[0], meaning[1](attempt, path), { cause: error })
  const text = error instanceof Error ? error.message : String(error)
  return new PosternError('internal', `cannot ${attempt} ${path}: ${text}`, { cause: error })
}

/** The name of a system error, as in `ENOENT`; undefined for anything else. */
export function nodeErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

const noHardLinks: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

/** Whether this is how a file system says that it makes no hard links. */
export function lacksHardLinks(error: unknown): boolean {
  return noHardLinks.has(nodeErrorCode(error) ?? '')
}

/** File mode as people write it: `0600`. */
export function formatMode(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0')
}

/** Mode and owner of the path or, where that cannot be seen, of the nearest directory above it which can. */
function explainPermission(path: string): string {
  for (let at = path; ; at = dirname(at)) {
    const status = statusOf(at)
    if (status !== undefined) {
      const subject = at === path ? 'it has' : `${at} has`
      const self = process.geteuid?.()
      const runs = self === undefined ? '' : `, this process runs as uid ${self}`
      return `: ${subject} mode ${formatMode(status.mode)} and owner uid ${status.uid}${runs}; ask that owner for access`
    }
    if (at === dirname(at)) return '; ask its owner for access'
  }
}

function statusOf(path: string): Stats | undefined {
  try {
    return lstatSync(path)
  } catch {
    return undefined
  }
}
