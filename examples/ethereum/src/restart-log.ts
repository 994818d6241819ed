import { mayHaveRun } from 'postern/ethereum'
import type { Output } from './output.ts'

/** Keeps what happens to a client while its node restarts, and prints it with its time. */
export class RestartLog {
  /** What `watchBlocks` and `onGap` told, in order: `block 1` or `gap`. */
  readonly told: string[] = []
  /** How calls ended: `gas price: answered`. */
  readonly calls: string[] = []
  /** Each method that was sent, as often as it was. */
  readonly methods: string[] = []
  readonly #output: Output
  readonly #startedMs = performance.now()

  constructor(output: Output) {
    this.#output = output
  }

  /** Prints a line. */
  say(text: string): void {
    const ms = Math.round(performance.now() - this.#startedMs)
    this.#output.write(`${String(ms).padStart(6)} ms  ${text}\n`)
  }

  tell(what: string, why = ''): void {
    this.told.push(what)
    this.say(`  ${what}${why}`)
  }

  /** Notes the methods in a frame that leaves. */
  sent(frame: string): void {
    for (const [, method = ''] of frame.matchAll(/"method":"(\w+)"/g)) this.methods.push(method)
  }

  /** Notes how a call ends. */
  async call(title: string, call: Promise<unknown>): Promise<void> {
    let end = 'answered'
    try {
      await call
    } catch (error) {
      end = mayHaveRun(error) ? 'rejected, may have run' : `rejected: ${String(error)}`
    }
    this.calls.push(`${title}: ${end}`)
    this.say(`  ${title}: ${end}`)
  }
}
