import { PosternError } from '../core/errors.ts'
import { escapeText } from '../core/escape.ts'
import { takeAddress } from './address-argument.ts'
import { Answers } from './answers.ts'
import { type Command, type CommandLine, commonOptions } from './command.ts'
import { connectionOptions, withConnection } from './connection-options.ts'
import { describeMember, describeWholeService } from './description-text.ts'
import { formatJson } from './format-json.ts'
import { nearest } from './nearest.ts'
import { discover, type MemberDescription, type ServiceDescription } from './service-description.ts'
import { showsColour } from './terminal.ts'
import { UsageError } from './usage-error.ts'

const options = {
  ...connectionOptions,
  raw: { type: 'boolean', help: 'the JSON of the description on a terminal too' },
  ...commonOptions,
} as const

/** `postern describe`. */
export const command: Command = {
  name: 'describe',
  usage: 'describe ADDRESS [METHOD]',
  about: `Shows how the methods, streams and events of a Postern server are used, or one of them in full: what it takes,
gives and may answer as an error, as TypeScript types. In a pipe it is the JSON of the OpenRPC document, or of the part
that describes METHOD.`,
  options,
  examples: [
    ['postern describe local:node', 'all of it'],
    ['postern describe local:node node.transfer', 'one method'],
    ['postern describe local:node node.transfer | jq .params', 'the JSON Schemas of its params'],
  ],
  run,
}

async function run({ values, positionals }: CommandLine<typeof options>): Promise<void> {
  const { address, rest } = takeAddress(positionals, process.env['POSTERN_ADDRESS'])
  const [name, extra] = rest
  if (extra !== undefined) throw new UsageError(`describe takes one METHOD, so ${JSON.stringify(extra)} is too many`)
  const service = await withConnection(address, values, (connection) => discover(connection, address))
  const member = name === undefined ? undefined : findMember(service, name, address)
  const answers = new Answers(process.stdout)
  if (process.stdout.isTTY === true && values.raw !== true) {
    const text = member === undefined ? describeWholeService(service) : describeMember(member, service, address)
    await answers.write(text.split('\n').map(escapeText).join('\n'))
  } else {
    const style = { pretty: process.stdout.isTTY === true, colour: showsColour(process.stdout) }
    await answers.write(`${formatJson(member?.source ?? service.document, style)}\n`)
  }
  await answers.flush()
}

function findMember({ members }: ServiceDescription, name: string, address: string): MemberDescription {
  const found = members.find((member) => member.name === name)
  if (found !== undefined) return found
  const near = nearest(
    name,
    members.map((member) => member.name),
  )
  const hint = near === undefined ? `postern list ${address} tells what there is` : `did you mean ${near}?`
  throw new PosternError('unknown_method', `${address} has no ${JSON.stringify(name)}; ${hint}`)
}
