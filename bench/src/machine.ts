import { arch, availableParallelism, cpus, loadavg, platform, release } from 'node:os'

/** What the figures depend on, for the reader of a report. */
export interface Machine {
  readonly node: string
  readonly system: string
  readonly cpu: string
  readonly cores: number
  /** Processes that wanted to run in the last minute before the bench: more than none makes the figures noisy. */
  readonly load: number
}

export function describeMachine(): Machine {
  return {
    node: process.versions.node,
    system: `${platform()} ${release()} ${arch()}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    load: loadavg()[0] ?? 0,
  }
}

export function formatMachine({ node, system, cpu, cores, load }: Machine): string {
  return `${cores} cores (${cpu}), ${system}, Node ${node}, load ${load.toFixed(1)} at the start`
}
