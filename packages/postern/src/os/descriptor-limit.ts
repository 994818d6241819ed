/** How many files and sockets this process may have open at once. */

import { readFileSync } from 'node:fs'

/** Descriptors that connections leave for files, timers and the rest of the process. */
export const reservedDescriptors = 64

/** The soft limit on open descriptors (RLIMIT_NOFILE); undefined where the system does not tell. */
export function descriptorLimit(): number | undefined {
  return parseDescriptorLimit(readLimits())
}

/** The soft limit in the text of Linux's `/proc/self/limits`. */
export function parseDescriptorLimit(limits: string): number | undefined {
  const soft = /^Max open files +(\d+)/m.exec(limits)?.[1]
  return soft === undefined ? undefined : Number(soft)
}

function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'latin1')
  } catch {
    return ''
  }
}
