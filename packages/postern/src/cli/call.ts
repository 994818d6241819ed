import { isPosternError } from '../core/errors.ts'
import { takeAddress } from './address-argument.ts'
import { Answers } from './answers.ts'
import { allowsNews, type Command, type CommandLine, commonOptions } from './command.ts'
import { connectAs, connectionOptions } from './connection-options.ts'
import { escapeLines, formatJson } from './format-json.ts'
import { paramSources, takeMethod } from './method-arguments.ts'
import { parseParams } from './parse-params.ts'
import { Progress } from './progress.ts'
import { movesCursor, say, showsColour } from './terminal.ts'

const options = {
  ...connectionOptions,
  raw: {
    type: 'boolean',
    help: "print the result's bytes as they came; on a terminal control characters are still escaped",
  },
  ...commonOptions,
} as const

/** `postern call`. */
export const command: Command = {
  name: 'call',
  usage: 'call ADDRESS METHOD [PARAMS...]',
  about: 'Calls a method and prints its result: indented on a terminal, else on one line.',
  options,
  examples: [
    ['postern call ~/.ethereum/geth.ipc eth_blockNumber', 'a bare path is a Unix socket'],
    ['postern call local:node node.transfer to=alice amount=5', 'params by name'],
    ['postern call ./anvil.ipc eth_getBlockByNumber latest false | jq -r .hash', 'params by position'],
    ['postern call local:node node.find \'"7"\'', 'the string 7, not the number'],
    ['postern call ./anvil.ipc eth_call @call.json latest', 'params from a file; - reads stdin'],
    ['POSTERN_ADDRESS=/tmp/reth.ipc postern call eth_chainId', 'ADDRESS from the environment'],
  ],
  run,
}

type Values = CommandLine<typeof options>['values']

async function run({ values, positionals }: CommandLine<typeof options>): Promise<void> {
  const { address, rest } = takeAddress(positionals, process.env['POSTERN_ADDRESS'])
  const method = takeMethod(rest, 'call')
  const params = await parseParams(rest.slice(1), paramSources(allowsNews(values)))
  const answers = new Answers(process.stdout)
  let result: unknown
  try {
    result = await ask({ address, method, params }, values)
  } catch (error) {
    if (isPosternError(error, 'invalid_params') && isNamed(params) && allowsNews(values)) say(namedHint)
    throw error
  }
  await answers.write(values.raw === true ? showRaw(result as Uint8Array) : showResult(result))
  await answers.flush()
}

interface Question {
  readonly address: string
  readonly method: string
  readonly params: unknown
}

/** The answer to one call, on a connection of its own. */
async function ask({ address, method, params }: Question, values: Values): Promise<unknown> {
  const progress = allowsNews(values) && movesCursor(process.stderr) ? new Progress(process.stderr) : undefined
  try {
    const connection = await connectAs(address, values, progress)
    const onProgress = (bytes: number): void => progress?.update(bytes)
    const answer = connection.call(method, params, { onProgress, raw: values.raw === true })
    return await answer.finally(() => connection.abort())
  } finally {
    progress?.stop()
  }
}

/** Ethereum nodes, for some, take by position even what is one object. */
const namedHint = `the object was sent as the params themselves; '[{...}]' sends it as the first of positional ones`

function isNamed(params: unknown): boolean {
  return typeof params === 'object' && !Array.isArray(params)
}

function showResult(result: unknown): string {
  const pretty = process.stdout.isTTY === true
  return `${formatJson(result, { pretty, colour: showsColour(process.stdout) })}\n`
}

function showRaw(bytes: Uint8Array): string | Uint8Array {
  return process.stdout.isTTY === true ? `${escapeLines(Buffer.from(bytes).toString())}\n` : bytes
}
