import type { Connection } from '../app/connection.ts'
import { isPosternError, PosternError } from '../core/errors.ts'
import { defaultLimits } from '../core/limits.ts'
import type { BatchCall } from '../rpc/calling.ts'
import { takeAddress } from './address-argument.ts'
import { Answers } from './answers.ts'
import { isAnswer } from './built-in-methods.ts'
import { allowsNews, type Command, type CommandLine, commonOptions } from './command.ts'
import { connectionOptions, parseLimits, withConnection } from './connection-options.ts'
import { formatJson } from './format-json.ts'
import { paramSources } from './method-arguments.ts'
import { parseCalls } from './parse-calls.ts'
import { say, showsColour } from './terminal.ts'

const options = { ...connectionOptions, ...commonOptions } as const

/** `postern batch`. */
export const command: Command = {
  name: 'batch',
  usage: 'batch ADDRESS [CALLS...]',
  about: `Makes several calls in one frame, and prints their outcomes in the order of the calls, each as one line of JSON:
{"result":…} or {"error":{"code":…,"message":…,"data":…}}, where code is the server's number, or a word of the table
below where no answer came. When a call fails the exit status is that of the failure, after all outcomes are printed.

More than 1,000 calls go in batches of 1,000, one after the other; --limit maxBatchCalls=N makes them smaller for a
server that takes less. When one of the calls cannot be read, none is made.

CALLS
  eth_chainId                          a method without params
  '["eth_call",[{"to":"0x…"}]]'        a method and its params
  '{"method":"m","params":{"a":1}}'    the same; jsonrpc and id may stand there too
  @file or -                           one of these a line, in the file or on stdin; - is the default`,
  options,
  examples: [
    ['postern batch ~/.ethereum/geth.ipc eth_chainId eth_gasPrice', 'two calls'],
    ['postern batch ./anvil.ipc @calls.jsonl | jq .result', 'from a file'],
    [`jq -c '.[] | ["eth_getTransactionReceipt",[.]]' hashes.json | postern batch ./anvil.ipc`, 'from stdin'],
  ],
  run,
}

async function run({ values, positionals }: CommandLine<typeof options>): Promise<void> {
  const { address, rest } = takeAddress(positionals, process.env['POSTERN_ADDRESS'])
  const maxBatchCalls = parseLimits(values.limit).maxBatchCalls ?? defaultLimits.maxBatchCalls
  const news = allowsNews(values)
  if (rest.length === 0 && process.stdin.isTTY === true && news) say('give a call a line; Ctrl-D ends')
  const calls = await parseCalls(rest.length === 0 ? ['-'] : rest, paramSources(news))
  const answers = new Answers(process.stdout)
  const failed = await withConnection(address, values, (connection) =>
    askAll(connection, calls, { maxBatchCalls, answers }),
  )
  await answers.flush()
  if (failed > 0)
    throw new PosternError(
      'remote',
      `${failed} of ${calls.length} calls ${failed === 1 ? 'was' : 'were'} answered with an error`,
    )
}

interface Asking {
  readonly maxBatchCalls: number
  readonly answers: Answers
}

/** How many calls were answered with an error. Rejects, behind the outcomes of its batch, with what was no answer. */
async function askAll(connection: Connection, calls: readonly BatchCall[], asking: Asking): Promise<number> {
  const { maxBatchCalls, answers } = asking
  let failed = 0
  for (let start = 0; start < calls.length && !answers.ended.aborted; start += maxBatchCalls) {
    const outcomes = await connection.batch(calls.slice(start, start + maxBatchCalls))
    const errors: Error[] = []
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') errors.push(outcome.reason as Error)
      await answers.write(showOutcome(outcome))
    }
    const lack = errors.find((error) => !isAnswer(error))
    if (lack !== undefined) throw lack
    failed += errors.length
  }
  return failed
}

function showOutcome(outcome: PromiseSettledResult<unknown>): string {
  const shown =
    outcome.status === 'fulfilled' ? { result: outcome.value ?? null } : { error: plainError(outcome.reason) }
  return `${formatJson(shown, { colour: showsColour(process.stdout) })}\n`
}

/** As the server said it, or as we do. */
function plainError(error: unknown): unknown {
  if (!isPosternError(error)) throw error
  return isAnswer(error) ? error.details : { code: error.code, message: error.sentence }
}
