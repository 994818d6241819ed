/**
 * Programs that go when this process is killed, though they look neither at their input nor at anything else.
 *
 * A shell holds the read end of a pipe whose write end is here alone. The kernel closes that when this process ends,
 * however it ends; the shell then gives the program its time and stops it.
 */

import { spawn } from 'node:child_process'
import type { Socket } from 'node:net'

/** `$1`: the process group; `$2`: seconds between the steps. A line that comes in time says that the group has gone. */
const script = `read -r line && exit
sleep "$2"; kill -s TERM -- "-$1" || exit
sleep "$2"; kill -s KILL -- "-$1"`

/**
 * Sees to it that a process group ends when this process is killed: SIGTERM after `graceMs`, SIGKILL after as much
 * again. Returns what is to be called when the group has gone. Where there is no shell nobody watches.
 */
export function stopWithParent(group: number, graceMs: number): () => void {
  const args = ['-c', script, 'postern-watchdog', String(group), String(Math.ceil(graceMs / 1_000))]
  // Of a session of its own, so that a signal to our process group, which ends us, leaves it.
  const watchdog = spawn('/bin/sh', args, {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
  })
  const line = watchdog.stdin as Socket | null
  watchdog.on('error', () => undefined)
  line?.on('error', () => undefined)
  watchdog.unref()
  line?.unref()
  return () => void line?.end('\n')
}
