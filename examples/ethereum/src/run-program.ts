/** Wrong arguments: what is wrong with them. */
export class UsageError extends Error {}

/** What a program says of itself. */
export interface Program {
  readonly name: string
  readonly usage: string
}

/** Runs a program's job and turns its end into an exit status: 0; 1 with the reason on stderr; 2 for wrong arguments. */
export async function runProgram({ name, usage }: Program, job: () => Promise<void>): Promise<void> {
  if (process.argv.includes('--help') || process.argv.includes('-h')) {
    process.stdout.write(usage)
    return
  }
  // Whoever read the output, as in `npm start | head`, has had enough; 141 is what a shell says of SIGPIPE.
  process.stdout.once('error', () => process.exit(141))
  try {
    await job()
  } catch (error) {
    const wrongUse = error instanceof UsageError || isParseArgsError(error)
    process.stderr.write(`${name}: ${describe(error)}\n${wrongUse ? `\n${usage}` : ''}`)
    process.exitCode = wrongUse ? 2 : 1
  }
}

function isParseArgsError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  let root = error
  while (root.cause instanceof Error) root = root.cause
  return root === error ? error.message : `${error.message} (${root.message})`
}
