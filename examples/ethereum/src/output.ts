/** Where text goes: `process.stdout`, or a test's own. */
export interface Output {
  /** Whether it is a terminal, on which a line can be drawn again. */
  readonly isTTY?: boolean
  write(text: string): unknown
}
