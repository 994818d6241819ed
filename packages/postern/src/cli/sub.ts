import type { Connection } from '../app/connection.ts'
import { isPosternError } from '../core/errors.ts'
import { takeAddress } from './address-argument.ts'
import { Answers } from './answers.ts'
import { allowsNews, type Command, type CommandLine, commonOptions } from './command.ts'
import { connectAs, connectionOptions } from './connection-options.ts'
import { formatJson } from './format-json.ts'
import { paramSources, takeMethod } from './method-arguments.ts'
import { parseCount } from './parse-count.ts'
import { parseParams } from './parse-params.ts'
import { say, showsColour } from './terminal.ts'
import { UsageError } from './usage-error.ts'

const options = {
  count: { type: 'string', short: 'n', value: 'N', help: 'end after N items' },
  ...connectionOptions,
  ...commonOptions,
} as const

/** `postern sub`. */
export const command: Command = {
  name: 'sub',
  usage: 'sub ADDRESS METHOD [PARAMS...]',
  about: `Subscribes, and prints each item as one line of JSON until Ctrl-C. METHOD is the one that subscribes, as
eth_subscribe. When the server ends the subscription in order the exit status is 0.`,
  options,
  examples: [
    ['postern sub ~/.ethereum/geth.ipc eth_subscribe newHeads', 'each new block'],
    ['postern sub /tmp/reth.ipc eth_subscribe newHeads --count 1 | jq -r .number', 'the next block, then end'],
    [`postern sub ./anvil.ipc eth_subscribe logs '{"address":"0x5fbd…0aa3"}'`, 'events of one contract'],
  ],
  run,
}

async function run({ values, positionals }: CommandLine<typeof options>): Promise<void> {
  const { address, rest } = takeAddress(positionals, process.env['POSTERN_ADDRESS'])
  const method = takeMethod(rest, 'sub')
  if (!method.endsWith('subscribe')) {
    throw new UsageError(
      `sub takes a METHOD that ends in "subscribe", as eth_subscribe, not ${method}; postern call calls any other`,
    )
  }
  const news = allowsNews(values)
  const count = parseCount(values.count, Number.POSITIVE_INFINITY)
  const params = await parseParams(rest.slice(1), paramSources(news))
  const answers = new Answers(process.stdout)
  const connection = await connectAs(address, values)
  try {
    await printItems(connection, { method, params, count, answers, news })
  } catch (error) {
    // Whoever read the items has gone, and with it the wish for more.
    if (!(answers.ended.aborted && isPosternError(error, 'cancelled'))) throw error
  } finally {
    connection.abort()
  }
  await answers.flush()
}

interface Printing {
  readonly method: string
  readonly params: unknown
  readonly count: number
  readonly answers: Answers
  readonly news: boolean
}

async function printItems(connection: Connection, { method, params, count, answers, news }: Printing): Promise<void> {
  const colour = showsColour(process.stdout)
  const subscription = connection.subscribe(method, params, { signal: answers.ended })
  if (process.stderr.isTTY === true && news) {
    const id = await subscription.ready
    say(`subscribed, as ${id}; Ctrl-C ends it`)
  }
  let printed = 0
  for await (const item of subscription) {
    await answers.write(`${formatJson(item, { colour })}\n`)
    if (++printed >= count) return
  }
}
