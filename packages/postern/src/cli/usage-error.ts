/** The command was written wrongly: the user is told what to change, and the exit status is 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
