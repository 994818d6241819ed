import { median } from '../stats.ts'

/** What something took: the time on the clock, and that of all of this process's threads on a core. */
export interface Cost {
  readonly wallMs: number
  readonly cpuMs: number
}

/** Runs `work` on a heap without garbage of what went before: needs Node's `--expose-gc`. */
export async function costOf(work: () => unknown): Promise<Cost> {
  collectGarbage()
  const startMs = performance.now()
  const cpuBefore = cpuMs()
  await work()
  return { wallMs: performance.now() - startMs, cpuMs: cpuMs() - cpuBefore }
}

/** The median of each part. */
export function medianCost(costs: readonly Cost[]): Cost {
  return { wallMs: median(costs.map(({ wallMs }) => wallMs)), cpuMs: median(costs.map((cost) => cost.cpuMs)) }
}

/** What this process has used so far. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

export function collectGarbage(): void {
  if (gc === undefined) throw new Error('needs --expose-gc')
  void gc()
}
