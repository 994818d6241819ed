/**
 * Who hears of a change, and which worker gets which job.
 */

import { EventEmitter, once } from 'node:events'
import { type Attempt, type Change, hasEnded, type Job } from './contract.ts'
import { lastDaemon, type Queue } from './queue.ts'

/** What a worker says of itself. */
export interface Worker {
  readonly worker: string
  readonly slots: number
  readonly holding: readonly Attempt[]
}

export class Dispatch {
  readonly #queue: Queue
  readonly #returnMs: number
  readonly #tell: (change: Change) => void
  readonly #news = new EventEmitter().setMaxListeners(0)
  /** The stream of each worker, by the worker's name. */
  readonly #streams = new Map<string, number>()
  #lastHolder = lastDaemon
  #told: number

  /** `returnMs`: how long the jobs of a worker that was lost are kept for it. `tell` is called with each change. */
  constructor(queue: Queue, returnMs: number, tell: (change: Change) => void) {
    this.#queue = queue
    this.#returnMs = returnMs
    this.#tell = tell
    this.#told = queue.lastSeq
    this.#letGoLater(lastDaemon)
  }

  /** Tells of what has changed in the queue; to be called after each change. */
  announce(): void {
    const changes = this.#queue.changes(this.#told)
    for (const change of changes) {
      this.#told = change.seq
      this.#tell(change)
    }
    if (changes.length > 0) this.wake()
  }

  /** Has every stream look whether there is something for it. */
  wake(): void {
    this.#news.emit('look')
  }

  /**
   * Jobs for a worker, each its own until it is finished or the stream ends. A name is one worker's: who comes with it
   * again takes the place of its old stream, since a lost connection may be noticed late.
   */
  async *jobsFor({ worker, slots, holding }: Worker, signal: AbortSignal): AsyncGenerator<Job> {
    const holder = ++this.#lastHolder
    this.#streams.set(worker, holder)
    for (const attempt of holding) this.#queue.keep(attempt, holder)
    this.announce()
    this.wake()
    try {
      while (this.#streams.get(worker) === holder) {
        const job = this.#queue.held(holder) < slots ? this.#queue.take(worker, holder) : undefined
        this.announce()
        if (job === undefined) await this.#look(signal)
        else yield job
      }
    } finally {
      if (this.#streams.get(worker) === holder) this.#streams.delete(worker)
      this.#release(holder)
    }
  }

  /** The changes of a job after one of them, as they come, until the job has ended. */
  async *changesOf(id: number, after: number, signal: AbortSignal): AsyncGenerator<Change> {
    for (let seq = after; ; ) {
      for (const change of this.#queue.changes(seq, id)) {
        seq = change.seq
        yield change
        if (hasEnded(change)) return
      }
      const job = this.#queue.get(id)
      if (job === undefined || hasEnded(job)) return
      await this.#look(signal)
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    await once(this.#news, 'look', { signal })
  }

  #release(holder: number): void {
    // Of a queue that is closed, the next daemon does it.
    if (!this.#queue.open) return
    this.#queue.release(holder)
    this.announce()
    this.#letGoLater(holder)
  }

  #letGoLater(holder: number): void {
    const letGo = (): void => {
      if (!this.#queue.open) return
      this.#queue.letGo(holder)
      this.wake()
    }
    setTimeout(letGo, this.#returnMs).unref()
  }
}
