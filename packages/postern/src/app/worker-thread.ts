/**
 * One worker as the main thread sees it: it begins, serves connections, and ends.
 */

import { type MessagePort, Worker } from 'node:worker_threads'
import type { Peer } from '../core/stream.ts'
import type { Session } from '../rpc/session.ts'
import type { OnError } from './error-log.ts'
import { errorFrom, type FromWorker, type ToWorker, type WorkerStart } from './worker-link.ts'

/** Its program stands beside this file, in the same language: built, or as it is in the repository. */
const program = new URL(import.meta.url.replace(/worker-thread(\.\w+)$/, 'worker-host$1'))

/** The module is loaded, and has not what it must have. */
export class WrongModule extends Error {}

/** How long a worker may take to end by itself, so that what its handlers still put in order is done. */
const lastWordsMs = 500

/** How long a worker may take to load its module once nobody needs it: ended in the midst, it leaves a file open. */
const loadingMs = 2_000

export class WorkerThread {
  /** Calls and streams that run on it. */
  running = 0
  /** Whether any of them was answered. */
  answered = false
  /** Whether it is ending or has ended, so that it must be given no more. */
  givenUp = false
  /** Resolves with the names of its handlers; rejects when the module cannot be loaded, and with `WrongModule`. */
  readonly ready: Promise<readonly string[]>
  /** Resolves when the thread is over, with the reason. */
  readonly ended: Promise<Error>
  readonly #worker: Worker
  readonly #sessions = new Set<Session>()
  #resolveReady: (names: readonly string[]) => void = () => undefined
  #rejectReady: (error: Error) => void = () => undefined
  #reason: Error | undefined

  constructor(start: WorkerStart, onError: OnError) {
    this.#worker = new Worker(program, { workerData: start })
    this.ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve
      this.#rejectReady = reject
    })
    this.#worker.on('message', (news: FromWorker) => this.#hear(news, onError))
    this.#worker.on('error', (error: unknown) => {
      this.#reason ??= error instanceof Error ? error : new Error(`threw ${String(error)}`)
    })
    this.ended = new Promise((resolve) => {
      this.#worker.on('exit', (status) => {
        this.givenUp = true
        const reason = this.#reason ?? new Error(`it ended with status ${status}`)
        this.#rejectReady(reason)
        for (const session of this.#sessions) session.abort()
        resolve(reason)
      })
    })
    // Who does not wait for it is told by `ended`.
    this.ready.catch(() => undefined)
  }

  /** Gives it the port of a connection, whose session ends at the latest when the thread does. */
  connect(port: MessagePort, peer: Peer, session: Session): void {
    this.#sessions.add(session)
    void session.closed.then(() => this.#sessions.delete(session))
    this.#say({ kind: 'connect', port, peer }, [port])
  }

  /** A connection's port has closed: the thread is ending, which is told of only later. */
  giveUp(): void {
    this.givenUp = true
    void this.#worker.terminate()
  }

  /** Lets it end, once its connections are over, and ends it when it does not. */
  async close(): Promise<void> {
    this.#say({ kind: 'end' })
    const isOver = this.#endAfter(loadingMs + lastWordsMs)
    await this.ready.catch(() => undefined)
    void this.#endAfter(lastWordsMs)
    await isOver
  }

  /** Ends it unless it has ended by then. */
  async #endAfter(ms: number): Promise<void> {
    const timer = setTimeout(() => void this.#worker.terminate(), ms)
    await this.ended
    clearTimeout(timer)
  }

  #say(order: ToWorker, moved: readonly MessagePort[] = []): void {
    this.#worker.postMessage(order, moved)
  }

  #hear(news: FromWorker, onError: OnError): void {
    switch (news.kind) {
      case 'ready':
        this.#resolveReady(news.names)
        return
      case 'failed': {
        const error = errorFrom(news.error)
        this.#reason = news.wrongUse ? new WrongModule(error.message) : error
        this.#rejectReady(this.#reason)
        void this.#endAfter(lastWordsMs)
        return
      }
      case 'error':
        onError(errorFrom(news.error), news.context)
    }
  }
}
