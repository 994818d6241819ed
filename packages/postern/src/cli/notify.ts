import { takeAddress } from './address-argument.ts'
import { allowsNews, type Command, type CommandLine, commonOptions } from './command.ts'
import { connectAs, connectionOptions } from './connection-options.ts'
import { paramSources, takeMethod } from './method-arguments.ts'
import { parseParams } from './parse-params.ts'

const options = { ...connectionOptions, ...commonOptions } as const

/** `postern notify`. */
export const command: Command = {
  name: 'notify',
  usage: 'notify ADDRESS METHOD [PARAMS...]',
  about: `Tells a server something that wants no answer, and ends when all of it has left. Prints nothing. A server never
says whether it knows the method, so the exit status 0 is no proof that anything was done.`,
  options,
  examples: [
    ['postern notify local:log log.line "backup done"', 'one param, a string'],
    ['postern notify local:node node.joined name=alice', 'params by name'],
  ],
  run,
}

async function run({ values, positionals }: CommandLine<typeof options>): Promise<void> {
  const { address, rest } = takeAddress(positionals, process.env['POSTERN_ADDRESS'])
  const method = takeMethod(rest, 'notify')
  const params = await parseParams(rest.slice(1), paramSources(allowsNews(values)))
  const connection = await connectAs(address, values)
  await connection.notify(method, params)
  await connection.close()
  const reason = await connection.closed
  if (reason !== undefined) throw reason
}
