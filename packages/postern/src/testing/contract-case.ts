/** One thing that an implementation must do. */
export interface ContractCase {
  readonly title: string
  readonly run: () => void | Promise<void>
}
