/**
 * The workers of one server: so many as were asked for, each replaced when it dies.
 */

import { PosternError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'
import { refusal } from '../rpc/incoming-call.ts'
import { pauseMs } from '../rpc/retry.ts'
import type { OnError } from './error-log.ts'
import type { WorkerStart } from './worker-link.ts'
import { WorkerThread, WrongModule } from './worker-thread.ts'

/** What a pool is made of. */
export interface WorkerPoolOptions {
  readonly workers: number
  readonly start: WorkerStart
  /** Names the module in errors. */
  readonly file: string
  readonly limits: Limits
  readonly onError: OnError
}

interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

export class WorkerPool {
  readonly #options: WorkerPoolOptions
  /** Those that take calls. */
  readonly #ready: WorkerThread[] = []
  /** With those that begin. */
  readonly #alive = new Set<WorkerThread>()
  readonly #restarts = new Set<NodeJS.Timeout>()
  #waiting: Waiter[] = []
  #turn = 0
  /** Workers that ended one after the other, with no call answered in between. */
  #earlyDeaths = 0
  /** Why no worker is started any more. */
  #over: Error | undefined

  constructor(options: WorkerPoolOptions) {
    this.#options = options
  }

  /** Starts all of them. Resolves with the names of the handlers; rejects when the module cannot be served. */
  async start(): Promise<readonly string[]> {
    const { workers } = this.#options
    const threads = Array.from({ length: workers }, () => this.#begin())
    try {
      const [names = []] = await Promise.all(threads.map(({ ready }) => ready))
      for (const thread of threads) this.#add(thread)
      for (const thread of threads) this.#watch(thread)
      return names
    } catch (error) {
      await this.close()
      throw this.#unservable(error as Error)
    }
  }

  /** The worker that runs the fewest calls, as soon as there is one. Rejects with a `Refusal` when there will be none. */
  async take(): Promise<WorkerThread> {
    for (;;) {
      const thread = this.#leastBusy()
      if (thread !== undefined) return thread
      if (this.#over !== undefined) throw this.#over
      await new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }))
    }
  }

  /** The worker has answered a call, so whatever ended others before has passed. */
  answered(thread: WorkerThread): void {
    thread.answered = true
    this.#earlyDeaths = 0
  }

  /** Ends all workers. Their connections have ended before. */
  async close(): Promise<void> {
    this.#stop(refusal('closed', 'the server is closing'))
    await Promise.all([...this.#alive].map((thread) => thread.close()))
  }

  #leastBusy(): WorkerThread | undefined {
    const { length } = this.#ready
    let found: WorkerThread | undefined
    for (let n = 0; n < length; n++) {
      const thread = this.#ready[(this.#turn + n) % length]
      if (thread === undefined || thread.givenUp) continue
      if (found === undefined || thread.running < found.running) found = thread
    }
    this.#turn = (this.#turn + 1) % Math.max(length, 1)
    return found
  }

  #begin(): WorkerThread {
    const { start, onError } = this.#options
    const thread = new WorkerThread(start, onError)
    this.#alive.add(thread)
    return thread
  }

  #add(thread: WorkerThread): void {
    this.#ready.push(thread)
    for (const { resolve } of this.#waiting.splice(0)) resolve()
  }

  #watch(thread: WorkerThread): void {
    void thread.ended.then((reason) => this.#ended(thread, reason))
  }

  #ended(thread: WorkerThread, reason: Error): void {
    this.#alive.delete(thread)
    const place = this.#ready.indexOf(thread)
    if (place >= 0) this.#ready.splice(place, 1)
    if (this.#over !== undefined) return
    this.#earlyDeaths = thread.answered ? 0 : this.#earlyDeaths + 1
    const { file, limits, onError } = this.#options
    const what = `a worker of ${file} has ended (${reason.message})`
    if (this.#earlyDeaths > limits.maxRestarts) {
      const sentence = `${what}, as those before it, without having answered a call; no more are started after limits.maxRestarts (${limits.maxRestarts})`
      this.#stop(refusal('internal', 'no worker is left that could run this'))
      onError(new PosternError('internal', sentence, { cause: reason }), file)
      return
    }
    onError(new PosternError('internal', `${what}; another takes its place`, { cause: reason }), file)
    const delayMs = this.#earlyDeaths === 0 ? 0 : pauseMs(this.#earlyDeaths - 1, limits, Math.random)
    const timer = setTimeout(() => {
      this.#restarts.delete(timer)
      this.#restart()
    }, delayMs)
    this.#restarts.add(timer)
  }

  #restart(): void {
    const thread = this.#begin()
    thread.ready.then(
      () => this.#add(thread),
      () => undefined,
    )
    this.#watch(thread)
  }

  /** Starts no more workers; calls that wait for one are refused. */
  #stop(why: Error): void {
    this.#over ??= why
    for (const timer of this.#restarts) clearTimeout(timer)
    this.#restarts.clear()
    for (const { reject } of this.#waiting.splice(0)) reject(this.#over)
  }

  #unservable(error: Error): Error {
    const { file } = this.#options
    if (error instanceof WrongModule)
      return new TypeError(`${file} cannot be served: ${error.message}`, { cause: error })
    return new PosternError('internal', `${file} could not be loaded in a worker: ${error.message}`, { cause: error })
  }
}
