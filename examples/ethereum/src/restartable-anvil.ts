import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Anvil, startAnvil } from './anvil.ts'
import { until } from './until.ts'

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

  /** Stops it in the middle of whatever it does: once this has resolved it answers nothing, but takes what it is sent. */
  async freeze(): Promise<void> {
    const { pid } = this
    process.kill(pid, 'SIGSTOP')
    // On a busy machine its threads go on for a while.
    await until('a stop of the node', () => isStopped(pid))
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

/** Whether all threads of a process are stopped, as the system says. */
function isStopped(pid: number): boolean {
  const tasks = `/proc/${pid}/task`
  if (!existsSync(tasks))
    return execFileSync('ps', ['-o', 'state=', '-p', String(pid)])
      .toString()
      .startsWith('T')
  try {
    return readdirSync(tasks).every((task) => readFileSync(`${tasks}/${task}/stat`, 'utf8').includes(') T '))
  } catch {
    // One of the threads ended while we looked.
    return false
  }
}
