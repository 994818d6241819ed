import { readFileSync } from 'node:fs'
import { platform } from 'node:os'

/**
 * The most memory that this process has had resident, in MB.
 *
 * On Linux that is not what `resourceUsage` says, where a child begins with the peak of the process that started it.
 */
export function peakMemoryMb(): number {
  const kilobytes = platform() === 'linux' ? peakOfThisProgram() : process.resourceUsage().maxRSS
  return (kilobytes * 1_024) / 1_000_000
}

function peakOfThisProgram(): number {
  const [, kilobytes] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  if (kilobytes === undefined) throw new Error('/proc/self/status says no VmHWM')
  return Number(kilobytes)
}
