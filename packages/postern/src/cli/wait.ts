import { setTimeout as sleep } from 'node:timers/promises'
import { nowMs } from '../core/deadline.ts'
import { type ErrorCode, isPosternError, PosternError } from '../core/errors.ts'
import { takeSoleAddress } from './address-argument.ts'
import { ping } from './built-in-methods.ts'
import { allowsNews, type Command, type CommandLine, commonOptions } from './command.ts'
import { connectionOptions, withConnection } from './connection-options.ts'
import { parseDuration } from './duration.ts'
import { movesCursor, say } from './terminal.ts'

const options = {
  ...connectionOptions,
  timeout: { type: 'string', value: 'TIME', help: 'give up after so long: 5s, 500ms, 2m; default 30s' },
  ...commonOptions,
} as const

/** `postern wait`. */
export const command: Command = {
  name: 'wait',
  usage: 'wait ADDRESS',
  about: `Waits until a server answers, and prints nothing. Tries again while nobody listens, while the server is busy and
when it goes away before it answers. At the deadline the exit status is 5 and the last reason is told.`,
  options,
  examples: [
    ['anvil --ipc ./anvil.ipc & postern wait ./anvil.ipc && npm test', 'start a node, and go on when it is there'],
    ['postern wait local:node --timeout 2m -q', 'in a script: no more than two minutes'],
  ],
  run,
}

/** What passes when a server starts, or starts anew. */
const passing: ReadonlySet<ErrorCode> = new Set(['no_listener', 'busy', 'closed', 'unknown_outcome', 'overloaded'])

/** The first pause is short, since a server is often waited for that was started a moment ago; then each is longer. */
const firstPauseMs = 20
const longestPauseMs = 1_000

async function run({ values, positionals }: CommandLine<typeof options>): Promise<void> {
  const address = takeSoleAddress(positionals, process.env['POSTERN_ADDRESS'], 'wait')
  const timeoutMs = parseDuration(values.timeout ?? '30s', '--timeout')
  const endMs = nowMs() + timeoutMs
  let reason: PosternError | undefined
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    const leftMs = Math.floor(endMs - nowMs())
    if (leftMs < 1) throw tooLate(address, timeoutMs, reason)
    const failed = await tryOnce(address, { ...values, timeout: `${leftMs}ms` })
    if (failed === undefined) return
    if (reason === undefined && allowsNews(values) && movesCursor(process.stderr)) say(`waiting: ${failed.message}`)
    reason = failed
    await sleep(Math.min(pauseMs, Math.max(endMs - nowMs(), 1)))
  }
}

/** Undefined when the server answered, else why it did not; rejects with what does not pass. */
async function tryOnce(
  address: string,
  values: CommandLine<typeof options>['values'],
): Promise<PosternError | undefined> {
  try {
    await withConnection(address, values, ping)
    return undefined
  } catch (error) {
    // The deadline of one attempt is that of all.
    if (!isPosternError(error) || !(passing.has(error.code) || error.code === 'deadline_exceeded')) throw error
    return error
  }
}

function tooLate(address: string, timeoutMs: number, reason: PosternError | undefined): PosternError {
  const silent = reason === undefined || reason.code === 'deadline_exceeded'
  const why = silent ? 'something listens there but says nothing' : reason.message
  return new PosternError('deadline_exceeded', `no answer at ${address} within ${timeoutMs} ms: ${why}`, {
    cause: reason,
    details: { address, timeoutMs },
  })
}
