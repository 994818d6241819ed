/** Notices when the name of a running server is removed or given to something else. */

import { type FSWatcher, watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import { lookAt } from './socket-file.ts'
import type { SocketName } from './socket-name.ts'

/** Not every file system and every change is reported, so the name is also looked at this often. */
const pollMs = 30_000

/**
 * Calls `onLost` once when `name` is no longer the name of our socket. Keeps no process alive. Returns what stops it.
 */
export function watchSocketName(name: Pick<SocketName, 'realPath' | 'inode'>, onLost: () => void): () => void {
  let over = false
  const stop = (): void => {
    over = true
    clearInterval(timer)
    watcher?.close()
  }
  const look = async (): Promise<void> => {
    const status = await lookAt(name.realPath).catch(() => undefined)
    if (over || status?.ino === name.inode) return
    stop()
    onLost()
  }
  const timer = setInterval(() => void look(), pollMs).unref()
  const own = basename(name.realPath)
  const watcher = watchDirectory(dirname(name.realPath), (changed) => {
    if (changed === null || changed === own) void look()
  })
  return stop
}

function watchDirectory(directory: string, onChange: (changed: string | null) => void): FSWatcher | undefined {
  try {
    const watcher = watch(directory, { persistent: false }, (_, changed) => onChange(changed))
    watcher.on('error', () => watcher.close())
    return watcher
  } catch {
    // The system's watches are used up: the poll remains.
    return undefined
  }
}
