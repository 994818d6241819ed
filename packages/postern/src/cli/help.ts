import { codeTraits, type ErrorCode, errorCodes } from '../core/errors.ts'
import type { Command, OptionSpecs } from './command.ts'

/** The commands by name, each with a line of what it does. */
export type Summaries = Readonly<Record<string, { readonly summary: string }>>

/** The help of the whole program. */
export function programHelp(commands: Summaries): string {
  return `Postern talks to services on this machine.

Usage: postern COMMAND [ARGUMENTS...]

Commands
${table(Object.entries(commands).map(([name, { summary }]) => [name, summary]))}

postern COMMAND --help tells more; postern --version tells the version.

${addressHelp}

Examples
  postern call ~/.ethereum/geth.ipc eth_blockNumber
  postern call local:node node.transfer to=alice amount=5
  postern sub /tmp/reth.ipc eth_subscribe newHeads | jq .number
  postern serve ./clock.js --at local:clock
  postern list local:clock

${statusHelp}
`
}

/** The help of one command. */
export function commandHelp(command: Command): string {
  const parts = [`Usage: postern ${command.usage}`, command.about]
  if (command.usage.includes('PARAMS')) parts.push(paramsHelp)
  if (/ \[?ADDRESS\b/.test(command.usage)) parts.push(addressHelp)
  const examples = command.examples.map(([line, does]) => `  ${line}\n      ${does}`)
  parts.push(`Options\n${table(optionRows(command.options))}`, `Examples\n${examples.join('\n')}`, statusHelp)
  return `${parts.join('\n\n')}\n`
}

function optionRows(options: OptionSpecs): (readonly [string, string])[] {
  return Object.entries(options).map(([name, { short, value, help }]) => {
    const long = `--${name}${value === undefined ? '' : ` ${value}`}`
    return [short === undefined ? `    ${long}` : `-${short}, ${long}`, help]
  })
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n')
}

const addressHelp = `ADDRESS
  unix:/path, or a bare path that begins with / ./ ../ or ~   a Unix socket
  local:name                                                  a name in the runtime directory of this user
  geth, reth, anvil                                           a node that listens where it usually does
  left out                                                    what POSTERN_ADDRESS holds; a first argument that begins
                                                              neither with a scheme nor as a path is then the next`

const paramsHelp = `PARAMS
  7 true latest '"7"'   one param each: JSON where it parses, else a string
  '{"a":1}' or '[1,2]'  alone: the params themselves, so '[{"a":1}]' is one object by position
  a=1 b=x               params by name, when all have this form
  @file or -            one param: the JSON in the file, or on stdin
A whole number beyond 2^53 - 1 is refused, since it would be rounded; quoted, as '"123"', it is a string.`

/** What each status means, in words; which codes end with it is read from their table. */
const statuses: readonly (readonly [status: number, meaning: string])[] = [
  [0, 'the answer'],
  [1, 'the server answered with an error'],
  [2, 'wrong use'],
  [3, 'cannot connect, or the connection was lost'],
  [4, 'not permitted, or the server is not trusted'],
  [5, 'deadline'],
  [6, 'protocol or limit'],
  [7, 'no such method'],
]

const statusHelp = `Exit status
${table(statuses.map(([status, meaning]) => [String(status), withCodes(status, meaning)]))}
  Ctrl-C and SIGTERM end it as they do any program: 130 and 143 in a shell. --json tells the code of a failure.`

function withCodes(status: number, meaning: string): string {
  const codes = (Object.keys(errorCodes) as ErrorCode[]).filter((code) => codeTraits(code).exit === status)
  return codes.length === 0 ? meaning : `${meaning}: ${codes.join(', ')}`
}
