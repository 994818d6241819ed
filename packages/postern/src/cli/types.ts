import { takeSoleAddress } from './address-argument.ts'
import { Answers } from './answers.ts'
import { type Command, type CommandLine, commonOptions } from './command.ts'
import { connectionOptions, withConnection } from './connection-options.ts'
import { contractModule } from './contract-module.ts'
import { discover } from './service-description.ts'

const options = { ...connectionOptions, ...commonOptions } as const

/** `postern types`. */
export const command: Command = {
  name: 'types',
  usage: 'types ADDRESS',
  about: `Prints a TypeScript module with the contract of a server, made from what the server says of itself (rpc.discover):
its methods, streams and events with their types. Give it to connect() where the contract itself is out of reach. It
has the types alone, so nothing that arrives is checked by it.`,
  options,
  examples: [
    ['postern types local:node > node.ts', `then: import { node } from './node.ts'`],
    ['postern types local:node | diff - node.ts', 'whether the service has changed'],
  ],
  run,
}

async function run({ values, positionals }: CommandLine<typeof options>): Promise<void> {
  const address = takeSoleAddress(positionals, process.env['POSTERN_ADDRESS'], 'types')
  const service = await withConnection(address, values, (connection) => discover(connection, address))
  const answers = new Answers(process.stdout)
  await answers.write(contractModule(service, address))
  await answers.flush()
}
