/** The Ethereum node that the bench asks: the anvil of `examples/ethereum`, which makes the traced transaction too. */

import { type Anvil, startAnvil } from '../../examples/ethereum/src/anvil.ts'
import type { CaseRun } from './cases/bench-case.ts'
import { commandIn, type Setting } from './pinned.ts'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Runs `work` with a node in each setting of the run. They are gone when this settles, or when a signal ends us. */
export async function withAnvils<T>(
  { directory, settings }: CaseRun,
  work: (nodes: ReadonlyMap<Setting, Anvil>) => Promise<T>,
): Promise<T> {
  const interrupted = new AbortController()
  const abort = (): void => interrupted.abort(new Error('the bench was interrupted'))
  for (const signal of signals) process.once(signal, abort)
  const nodes = new Map<Setting, Anvil>()
  try {
    for (const setting of settings) {
      const command = (program: string, args: readonly string[]): readonly [string, ...string[]] =>
        commandIn(setting, program, args)
      nodes.set(setting, await startAnvil({ signal: interrupted.signal, parentDirectory: directory, command }))
    }
    return await work(nodes)
  } finally {
    for (const signal of signals) process.off(signal, abort)
    await Promise.all([...nodes.values()].map((node) => node.stop()))
  }
}
