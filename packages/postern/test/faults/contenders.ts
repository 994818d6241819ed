/** Starts the processes that contend for socket names and gives them their orders. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Order, Report } from './claim-worker.ts'

const workerFile = fileURLToPath(new URL('claim-worker.ts', import.meta.url))

/** A process that takes names on order. */
export class Contender {
  readonly pid: number
  readonly #child: ChildProcess
  readonly #waiting = new Map<string, (report: Report) => void>()
  readonly #exit: Promise<unknown>

  constructor() {
    const child = spawn(process.execPath, ['--import', 'tsx', workerFile], { stdio: ['pipe', 'pipe', 'inherit'] })
    if (child.pid === undefined || child.stdout === null) throw new Error('the worker did not start')
    this.pid = child.pid
    this.#child = child
    this.#exit = once(child, 'exit')
    createInterface({ input: child.stdout }).on('line', (line) => {
      const report = JSON.parse(line) as Report
      const settle = this.#waiting.get(report.round)
      this.#waiting.delete(report.round)
      settle?.(report)
    })
  }

  /** Gives an order; the answer to it is the next report of that round. */
  order(order: Order): Promise<Report> {
    return new Promise((resolve) => {
      this.#waiting.set(order.round, resolve)
      this.#child.stdin?.write(`${JSON.stringify(order)}\n`)
    })
  }

  /** Ends the process as the kernel does: it gets no chance to clean up. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exit
  }
}
