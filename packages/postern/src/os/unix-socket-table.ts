/** What Linux says of a Unix socket that this process was given: `/proc/net/unix`. */

import { readFileSync } from 'node:fs'
import { PosternError } from '../core/errors.ts'

/** A Unix socket of this network namespace. */
export interface UnixSocketEntry {
  /** What it is bound to, as its maker wrote it; abstract names begin with `@`. Undefined: nothing. */
  readonly path: string | undefined
  readonly type: 'stream' | 'datagram' | 'sequential packet'
  readonly listens: boolean
}

/** The kernel's mark of a socket that listens (`__SO_ACCEPTCON`). */
const acceptsConnections = 0x1_0000

/** `SOCK_STREAM` and the other two that Unix sockets know. */
const types: Readonly<Record<number, UnixSocketEntry['type']>> = { 1: 'stream', 2: 'datagram', 5: 'sequential packet' }

/** What is known of the socket with this inode; undefined: no Unix socket, or one of another network namespace. */
export function unixSocketEntry(inode: bigint): UnixSocketEntry | undefined {
  return parseUnixSockets(readTable(), inode)
}

/** The same from the table's text: `Num RefCount Protocol Flags Type St Inode Path`. */
export function parseUnixSockets(table: string, inode: bigint): UnixSocketEntry | undefined {
  const line = new RegExp(
    `^[0-9a-f]+: [0-9A-F]+ [0-9A-F]+ ([0-9A-F]+) ([0-9A-F]+) [0-9A-F]+ +${inode}(?: (.+))?$`,
    'gim',
  )
  const [row, ...more] = table.matchAll(line)
  // A path may hold a newline, and behind it what looks like a row: then nobody can say which one is the kernel's.
  if (more.length > 0) return undefined
  const [, flags, typeNumber, path] = row ?? []
  const type = types[Number.parseInt(typeNumber ?? '', 16)]
  if (flags === undefined || type === undefined) return undefined
  return { path, type, listens: (Number.parseInt(flags, 16) & acceptsConnections) !== 0 }
}

function readTable(): string {
  try {
    return readFileSync('/proc/net/unix', 'utf8')
  } catch (error) {
    throw new PosternError('not_supported', 'systemd: needs /proc/net/unix, as Linux has it; mount /proc', {
      cause: error,
    })
  }
}
