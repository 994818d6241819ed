/** Where a socket is to be: its directory, and how to reach the helper names in it within the system's limit. */

import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { PosternError } from '../core/errors.ts'
import { fromNodeError } from './node-error.ts'
import { checkSocketDirectory } from './safe-directory.ts'
import { maxSocketPathBytes, resolveSocketPath } from './socket-path.ts'

/** The directories in which sockets are made before they get their name: this and six random characters. */
export const nestPrefix = '.pn-'
/** The claims on dead sockets: this and the inode in base 36. */
export const claimPrefix = '.pc-'
/** The longest of them: a claim on an inode of 64 bits. A nest with its socket has 12. */
const longestHelperBytes = 17

/** A checked directory and the name that a socket is to have in it. */
export interface SocketPlace {
  /** The path of the name, as its user wrote it. */
  readonly path: string
  readonly name: string
  /** The real directory. */
  readonly directory: string
  /** The same directory, short enough for helper names behind it; ends with a slash. */
  readonly prefix: string
  /** To be called when no helper name is needed any more. */
  close(): Promise<void>
}

/**
 * Checks path and directory. Where helper names do not fit behind the directory's path, Linux reaches them through the
 * open directory; elsewhere that is `bad_address`.
 */
export async function openSocketPlace(path: string): Promise<SocketPlace> {
  const absolute = resolveSocketPath(path)
  const name = basename(absolute)
  if (name === '')
    throw new PosternError('bad_address', `${absolute} is a directory, not a socket; add a name to the path`)
  if (name.startsWith(nestPrefix) || name.startsWith(claimPrefix)) {
    throw new PosternError(
      'bad_address',
      `socket path ${absolute} begins its name with ${name.slice(0, 4)}, which marks files made while a name is taken; choose another`,
    )
  }
  const directory = await checkSocketDirectory(dirname(absolute))
  const bytes = Buffer.byteLength(join(directory, '/')) + longestHelperBytes
  if (bytes <= maxSocketPathBytes) {
    return { path: absolute, name, directory, prefix: join(directory, '/'), close: () => Promise.resolve() }
  }
  if (process.platform !== 'linux') {
    throw new PosternError(
      'bad_address',
      `directory ${directory} is too long to take a socket name in: its helper names would have ${bytes} bytes, the system allows ${maxSocketPathBytes}; use a shorter one`,
      { details: { bytes, limit: maxSocketPathBytes } },
    )
  }
  const handle = await openDirectory(directory)
  return { path: absolute, name, directory, prefix: `/proc/self/fd/${handle.fd}/`, close: () => handle.close() }
}

async function openDirectory(directory: string): Promise<FileHandle> {
  try {
    return await open(directory, constants.O_RDONLY | constants.O_DIRECTORY)
  } catch (error) {
    throw fromNodeError(error, 'open', directory)
  }
}
