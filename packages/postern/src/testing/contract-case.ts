/** What a mechanism may be unable to do; each with the reason. Cases that need it are then left out. */
export interface Lacks {
  /** Ending one way while the other goes on. */
  readonly halfClose?: string
}

/** Whether a case can be asked of a mechanism. */
export function isPossible({ needs }: { readonly needs?: keyof Lacks }, lacks: Lacks = {}): boolean {
  return needs === undefined || lacks[needs] === undefined
}

/** One thing that an implementation must do. */
export interface ContractCase {
  readonly title: string
  readonly run: () => void | Promise<void>
}
