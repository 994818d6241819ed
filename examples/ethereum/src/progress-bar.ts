import type { Output } from './output.ts'

const cells = 30

/** Without a known total, and without a terminal, there is a word each time this much more has come. */
const wordEveryBytes = 10_000_000

/** The progress of one answer: a bar on a terminal, one line with a few words in it elsewhere. */
export class ProgressBar {
  readonly #label: string
  readonly #totalBytes: number | undefined
  readonly #output: Output
  #shown = ''

  constructor(label: string, totalBytes: number | undefined, output: Output) {
    this.#label = label
    this.#totalBytes = totalBytes
    this.#output = output
    output.write(label)
  }

  /** So many bytes have arrived by now. */
  update(bytes: number): void {
    const text = this.#output.isTTY === true ? `\r${this.#label} ${this.#bar(bytes)}` : this.#milestone(bytes)
    if (text === '' || text === this.#shown) return
    this.#shown = text
    this.#output.write(text)
  }

  /** The whole answer is here; `text` ends the line. */
  finish(bytes: number, text: string): void {
    const whole = this.#output.isTTY === true ? `\r${this.#label} ${'#'.repeat(cells)} ` : ' '
    this.#output.write(`${whole}${megabytes(bytes)} ${text}\n`)
  }

  #bar(bytes: number): string {
    if (this.#totalBytes === undefined) return megabytes(bytes)
    const filled = Math.min(cells, Math.floor((bytes / this.#totalBytes) * cells))
    return `${'#'.repeat(filled)}${'.'.repeat(cells - filled)} ${megabytes(bytes)}`
  }

  #milestone(bytes: number): string {
    const total = this.#totalBytes
    const steps = Math.floor(bytes / (total === undefined ? wordEveryBytes : total / 4))
    if (steps === 0 || (steps === 4 && total !== undefined)) return ''
    return total === undefined ? ` ${megabytes(steps * wordEveryBytes)} ...` : ` ${steps * 25} % ...`
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
