import { connect } from '../app/connect.ts'
import type { Connection } from '../app/connection.ts'
import { isPosternError } from '../core/errors.ts'
import type { ApiFunction } from '../service/client.ts'
import { type Contract, contract } from '../service/contract.ts'
import { type Members, type StreamMember, stream } from '../service/members.ts'
import { takeAddress } from './address-argument.ts'
import { Answers } from './answers.ts'
import { allowsNews, type Command, type CommandLine, commonOptions } from './command.ts'
import { connectAs, connectionOptions, connectOptions } from './connection-options.ts'
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
  about: `Subscribes, and prints each item as one line of JSON until Ctrl-C. METHOD is the name of a stream or an event, as
node.blocks, or the method that subscribes, as eth_subscribe. When the server ends the subscription in order the exit
status is 0.`,
  options,
  examples: [
    ['postern sub local:node node.blocks from=1', 'a stream of a Postern server, or an event'],
    ['postern sub ~/.ethereum/geth.ipc eth_subscribe newHeads', 'each new block'],
    ['postern sub /tmp/reth.ipc eth_subscribe newHeads --count 1 | jq -r .number', 'the next block, then end'],
    [`postern sub ./anvil.ipc eth_subscribe logs '{"address":"0x5fbd…0aa3"}'`, 'events of one contract'],
  ],
  run,
}

type Values = CommandLine<typeof options>['values']

async function run({ values, positionals }: CommandLine<typeof options>): Promise<void> {
  const { address, rest } = takeAddress(positionals, process.env['POSTERN_ADDRESS'])
  const method = takeMethod(rest, 'sub')
  const source = sourceOf(method)
  const news = allowsNews(values)
  const count = parseCount(values.count, Number.POSITIVE_INFINITY)
  const params = await parseParams(rest.slice(1), paramSources(news))
  const answers = new Answers(process.stdout)
  const { connection, items } = await subscribe({ address, source, params, signal: answers.ended }, values)
  try {
    await printItems(items, { count, answers, news })
  } catch (error) {
    // Whoever read the items has gone, and with it the wish for more.
    if (!(answers.ended.aborted && isPosternError(error, 'cancelled'))) throw error
  } finally {
    connection.abort()
  }
  await answers.flush()
}

/** What is subscribed to: a member of a contract, or whatever the method says. */
type Source = { readonly method: string } | { readonly contract: Contract<Members>; readonly key: string }

function sourceOf(method: string): Source {
  if (method.endsWith('subscribe')) return { method }
  const [, name = '', separator, key = ''] = /^([A-Za-z][A-Za-z0-9]*)([._/])([A-Za-z]\w*)$/.exec(method) ?? []
  if (!isSeparator(separator) || name === 'rpc' || /^(?:then|unsubscribe|subscription)$/.test(key)) {
    throw new UsageError(
      `sub takes the name of a stream or an event, as node.blocks, or a METHOD that ends in "subscribe", as eth_subscribe, not ${method}`,
    )
  }
  // What is called eth_newHeads is an Ethereum node's, which takes no credit; of ours the consumer sets the pace.
  return { contract: contract(name, { [key]: stream() }, { separator, foreign: separator === '_' }), key }
}

function isSeparator(text: string | undefined): text is '.' | '_' | '/' {
  return text === '.' || text === '_' || text === '/'
}

interface Wish {
  readonly address: string
  readonly source: Source
  readonly params: unknown
  readonly signal: AbortSignal
}

interface Opened {
  readonly connection: Pick<Connection, 'abort'>
  readonly items: AsyncIterable<unknown> & { readonly ready: Promise<unknown> }
}

async function subscribe({ address, source, params, signal }: Wish, values: Values): Promise<Opened> {
  if ('method' in source) {
    const connection = await connectAs(address, values)
    return { connection, items: connection.subscribe(source.method, params, { signal }) }
  }
  const options = { ...connectOptions(address, values), postern: !source.contract.foreign }
  const connection = await connect(address, source.contract, options)
  const open = connection.api[source.key] as ApiFunction<StreamMember>
  // A stream takes one value.
  const [value, ...others] = Array.isArray(params) ? (params as unknown[]) : [params]
  return { connection, items: open(others.length === 0 ? value : params, { signal }) }
}

interface Printing {
  readonly count: number
  readonly answers: Answers
  readonly news: boolean
}

async function printItems(items: Opened['items'], { count, answers, news }: Printing): Promise<void> {
  const colour = showsColour(process.stdout)
  if (process.stderr.isTTY === true && news) {
    const id = await items.ready
    say(`subscribed, as ${String(id)}; Ctrl-C ends it`)
  }
  let printed = 0
  for await (const item of items) {
    await answers.write(`${formatJson(item, { colour })}\n`)
    if (++printed >= count) return
  }
}
