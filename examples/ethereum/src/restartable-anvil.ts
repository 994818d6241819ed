import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Anvil, startAnvil } from './anvil.ts'

/** An anvil that can be killed and started again at the same path, each time with a new chain. */
export class RestartableAnvil implements AsyncDisposable {
  /** The address of its IPC socket. */
  readonly address: string
  readonly #directory: string
  readonly #signal: AbortSignal | undefined
  #anvil: Anvil

  private constructor(directory: string, anvil: Anvil, signal: AbortSignal | undefined) {
    this.address = anvil.ipcAddress
    this.#directory = directory
    this.#anvil = anvil
    this.#signal = signal
  }

  /** Starts it the first time; it stops when the signal aborts. */
  static async start(signal?: AbortSignal): Promise<RestartableAnvil> {
    const directory = await mkdtemp(join(tmpdir(), 'postern-restart-'))
    try {
      return new RestartableAnvil(directory, await startAnvil({ ipcPath: join(directory, 'node.ipc'), signal }), signal)
    } catch (error) {
      await rm(directory, { recursive: true, force: true })
      throw error
    }
  }

  get pid(): number {
    return this.#anvil.pid
  }

  get httpUrl(): string {
    return this.#anvil.httpUrl
  }

  /** Stops it in the middle of whatever it does: it takes calls from now on, and answers none. */
  freeze(): void {
    process.kill(this.pid, 'SIGSTOP')
  }

  /** Ends it without a last word; its socket stays behind, stale. */
  async kill(): Promise<void> {
    process.kill(this.pid, 'SIGKILL')
    await this.#anvil.stop()
  }

  /** Starts it again, after it was killed. */
  async restart(): Promise<void> {
    this.#anvil = await startAnvil({ ipcPath: this.#anvil.ipcPath, signal: this.#signal })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#anvil.stop()
    await rm(this.#directory, { recursive: true, force: true })
  }
}
