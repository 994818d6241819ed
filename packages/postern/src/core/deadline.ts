/**
 * One timer for many deadlines: it wakes at the earliest, and its owner then looks which have passed.
 *
 * Renewing a deadline costs nothing here: the owner only writes the later time into its own record, and the timer,
 * waking too early, is set again. Times are of the monotonic clock, so a jump of the wall clock changes nothing.
 */
export class DeadlineTimer {
  readonly #wake: (nowMs: number) => number
  #timer: NodeJS.Timeout | undefined
  #dueMs = Number.POSITIVE_INFINITY

  /** `wake` ends what is overdue and returns the time of the earliest deadline left, or Infinity. */
  constructor(wake: (nowMs: number) => number) {
    this.#wake = wake
  }

  /** Makes sure that `wake` is called at `dueMs` or before. */
  expect(dueMs: number): void {
    if (dueMs >= this.#dueMs) return
    this.stop()
    this.#dueMs = dueMs
    this.#timer = setTimeout(() => this.#fire(), Math.min(Math.max(dueMs - nowMs(), 1), maxTimerMs))
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#dueMs = Number.POSITIVE_INFINITY
  }

  #fire(): void {
    this.stop()
    const nextMs = this.#wake(nowMs())
    if (nextMs < Number.POSITIVE_INFINITY) this.expect(nextMs)
  }
}

/** Node fires a timer at once when it is set to more. */
export const maxTimerMs: number = 2 ** 31 - 1

/** The monotonic clock, in milliseconds. */
export function nowMs(): number {
  return performance.now()
}
