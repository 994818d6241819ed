/** Where named pipes are, on the one system that has them. */

import { userInfo } from 'node:os'
import { PosternError } from '../core/errors.ts'

/** What the path of a pipe depends on; the defaults are this machine's. */
export interface PipeRoots {
  readonly platform?: NodeJS.Platform
  readonly user?: string
}

/** Whether names of this machine are those of named pipes rather than of Unix sockets. */
export function hasNamedPipes({ platform = process.platform }: PipeRoots = {}): boolean {
  return platform === 'win32'
}

/**
 * The path of the pipe that this user means by a name. All users share one folder of pipes, so that the name of the user
 * stands in it; what a path cannot hold is written as in URLs. `not_supported` where there are no named pipes.
 */
export function pipePath(name: string, roots: PipeRoots = {}): string {
  if (!hasNamedPipes(roots)) {
    throw new PosternError(
      'not_supported',
      `pipe:${name} is a named pipe, which only Windows has; use local:${name}, which is the best of each system, or unix: and a path`,
    )
  }
  const user = encodeURIComponent((roots.user ?? userInfo().username).toLowerCase())
  return `\\\\.\\pipe\\postern-${user}-${name}`
}
