/** Programs of `programs/` that take orders, and servers that live one after the other. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

interface Waiting {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
}

/** A process that carries out orders (`programs/orders.ts`). It is killed when the test is over. */
export class OrderedChild {
  readonly #program: string
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  #waiting: Waiting[] = []

  constructor(program: string) {
    this.#program = program
    const path = fileURLToPath(new URL(`../programs/${program}.ts`, import.meta.url))
    const child = spawn(process.execPath, ['--import', 'tsx', path], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child = child
    this.#ended = once(child, 'exit')
    createInterface({ input: child.stdout }).on('line', (line) => this.#waiting.shift()?.resolve(JSON.parse(line)))
    // Who is killed reads no more orders.
    child.stdin.on('error', () => undefined)
    child.on('exit', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(this.#gone())
    })
    onTestFinished(() => this.kill())
  }

  /** Gives an order; resolves with the answer to it. */
  order(order: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        reject(this.#gone())
        return
      }
      this.#waiting.push({ resolve, reject })
      this.#child.stdin?.write(`${JSON.stringify(order)}\n`)
    })
  }

  #gone(): Error {
    const how = this.#child.signalCode ?? this.#child.exitCode
    return new Error(`${this.#program} ended with ${how} before it had carried out its order`)
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Ends the process as the kernel does, also where it stands still: it gets no chance to clean up. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}

/** The lives of one server: processes of the same program, of which the next is loaded while this one serves. */
export class Lives {
  readonly #program: string
  readonly #order: unknown
  #serving: OrderedChild | undefined
  #loaded: OrderedChild | undefined

  /** `order`: what makes the program serve, and is answered when it does. */
  constructor(program: string, order: unknown) {
    this.#program = program
    this.#order = order
    this.#loaded = new OrderedChild(program)
  }

  /** Begins the next life. `last`: no other is expected, so none is loaded. */
  async begin({ last = false } = {}): Promise<unknown> {
    const serving = this.#loaded ?? new OrderedChild(this.#program)
    this.#serving = serving
    const answer = await serving.order(this.#order)
    this.#loaded = last ? undefined : new OrderedChild(this.#program)
    return answer
  }

  signal(signal: NodeJS.Signals): void {
    this.#serving?.signal(signal)
  }

  async kill(): Promise<void> {
    await this.#serving?.kill()
  }
}
