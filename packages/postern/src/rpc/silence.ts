/** Waits until nothing has come for a while. */

export class Silence {
  readonly #ms: number
  readonly #onSilent: () => void
  #timer: NodeJS.Timeout | undefined

  /** Calls `onSilent` once, when nothing has broken the silence for so long. */
  constructor(ms: number, onSilent: () => void) {
    this.#ms = ms
    this.#onSilent = onSilent
    this.#begin()
  }

  /** Something came; the time begins again. Nothing once it has been silent. */
  broken(): void {
    if (this.#timer === undefined) return
    clearTimeout(this.#timer)
    this.#begin()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #begin(): void {
    const timer = setTimeout(() => {
      // What has already arrived is read behind the timers.
      setImmediate(() => {
        if (this.#timer !== timer) return
        this.#timer = undefined
        this.#onSilent()
      })
    }, this.#ms)
    this.#timer = timer
  }
}
