/** What every bench program needs around its measurements: a private directory, and an end that leaves nothing behind. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { killChildren, prepareChildren, stopChildren } from './pinned.ts'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Runs `measure` with a new directory of mode 0700 for its sockets. However that ends, also by a signal, its children
 * and the directory are gone afterwards. A failure is told on stderr and sets the exit status.
 */
export async function runBench(measure: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-bench-'))
  const leave = (): void => {
    killChildren()
    rmSync(directory, { recursive: true, force: true })
  }
  process.once('exit', leave)
  const interruption = new Interruption()
  try {
    await Promise.race([
      prepareChildren(join(directory, 'programs')).then(() => measure(directory)),
      interruption.happened,
    ])
  } catch (error) {
    console.error('bench:', error)
    process.exitCode = 1
  }
  if (interruption.signal !== undefined) killChildren()
  await stopChildren()
  leave()
  process.off('exit', leave)
  interruption.end()
}

/** Holds back the signals that would end this process, until all is put away. */
class Interruption {
  readonly happened: Promise<void>
  signal: NodeJS.Signals | undefined
  readonly #onSignal: (signal: NodeJS.Signals) => void

  constructor() {
    let happen: () => void = () => undefined
    this.happened = new Promise((resolve) => {
      happen = resolve
    })
    this.#onSignal = (signal) => {
      // The second one means now; the exit handler puts away what it can.
      if (this.signal !== undefined) process.exit(1)
      this.signal = signal
      happen()
    }
    for (const signal of signals) process.on(signal, this.#onSignal)
  }

  /** Lets the signal, if there was one, do what it would have done. */
  end(): void {
    for (const signal of signals) process.off(signal, this.#onSignal)
    if (this.signal !== undefined) process.kill(process.pid, this.signal)
  }
}
