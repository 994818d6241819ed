import { escapeText } from '../core/escape.ts'
import { takeSoleAddress } from './address-argument.ts'
import { Answers } from './answers.ts'
import { type Command, type CommandLine, commonOptions } from './command.ts'
import { connectionOptions, withConnection } from './connection-options.ts'
import { discover, type MemberDescription } from './service-description.ts'
import { columns } from './columns.ts'

const options = { ...connectionOptions, ...commonOptions } as const

/** `postern list`. */
export const command: Command = {
  name: 'list',
  usage: 'list ADDRESS',
  about: `Lists the methods, streams and events of a Postern server at this address, with a line on each. In a pipe a line is
the name, the kind and the summary, with tabs between them.`,
  options,
  examples: [
    ['postern list local:node', 'what there is'],
    ['postern list local:node | cut -f 1', 'the names alone'],
  ],
  run,
}

async function run({ values, positionals }: CommandLine<typeof options>): Promise<void> {
  const address = takeSoleAddress(positionals, process.env['POSTERN_ADDRESS'], 'list')
  const { members } = await withConnection(address, values, (connection) => discover(connection, address))
  const answers = new Answers(process.stdout)
  await answers.write(columns(members.map(rowOf), process.stdout.isTTY === true))
  await answers.flush()
}

function rowOf({ name, kind, summary = '' }: MemberDescription): string[] {
  return [name, kind, summary.replaceAll(/\s+/g, ' ')].map(escapeText)
}
