/**
 * What may stand where the cursor is in an unfinished command line: what completion in a shell offers.
 */

import { defaultLimits } from '../core/limits.ts'
import { looksLikeAddress } from './address-argument.ts'
import type { Command, CommandTable, OptionSpecs } from './command.ts'
import type { AddressedSocket } from './local-addresses.ts'
import type { MemberDescription } from './service-description.ts'
import { readUnfinishedLine } from './unfinished-line.ts'

/** A word that may stand there, whole, and what it means. */
export interface Candidate {
  readonly word: string
  readonly about: string
}

/** What may stand there. */
export interface Completion {
  readonly candidates: readonly Candidate[]
  /** The path of a file may stand there too, behind this beginning of the word. */
  readonly filesBehind?: string
}

/** What is asked of this machine. */
export interface CompletionSources {
  /** The sockets of this user. */
  readonly sockets: () => Promise<readonly AddressedSocket[]>
  /** What a server describes; nothing where it does not answer soon. */
  readonly members: (address: string) => Promise<readonly MemberDescription[]>
  /** What `POSTERN_ADDRESS` holds. */
  readonly fallback: string | undefined
}

const nothing: Completion = { candidates: [] }

/** No shell obeys anything in it: a server names its methods as it likes, and the next key may be Enter. */
const harmless = /^[\w.,:@%+=/~-]+$/

/** The words are those behind `postern`. The last is the unfinished one, which may be empty. */
export async function complete(
  words: readonly string[],
  commands: CommandTable,
  sources: CompletionSources,
): Promise<Completion> {
  const current = words.at(-1) ?? ''
  const completion = await offer(words, commands, sources)
  const fits = ({ word }: Candidate): boolean => word.startsWith(current) && harmless.test(word)
  return { ...completion, candidates: completion.candidates.filter(fits) }
}

async function offer(
  [name = '', ...args]: readonly string[],
  commands: CommandTable,
  sources: CompletionSources,
): Promise<Completion> {
  const names = Object.entries(commands).map(([word, { summary }]) => ({ word, about: summary }))
  if (args.length === 0) return { candidates: [...names, ...programWords] }
  if (name === 'help') return args.length === 1 ? { candidates: names } : nothing
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined
  return entry === undefined ? nothing : await offerTo((await entry.load()).command, args, sources)
}

const programWords: readonly Candidate[] = [
  { word: 'help', about: 'tell about a command' },
  { word: '--help', about: 'tell about the program' },
  { word: '--version', about: 'tell the version' },
]

async function offerTo(command: Command, args: readonly string[], sources: CompletionSources): Promise<Completion> {
  const { positionals, given, current } = readUnfinishedLine(args, command.options)
  switch (current.kind) {
    case 'option':
      return { candidates: optionNames(command.options, given) }
    case 'value':
      return behind(current.prefix, await offerValue(current.spec.value ?? '', current.text, sources))
    case 'argument':
      return await offerArgument({ command, positionals, text: current.text, sources })
  }
}

function optionNames(options: OptionSpecs, given: ReadonlySet<string>): Candidate[] {
  return Object.entries(options)
    .filter(([name, { multiple }]) => multiple === true || !given.has(name))
    .map(([name, { help }]) => ({ word: `--${name}`, about: help }))
}

/** The same where a part of the word stands before what was asked for. */
function behind(prefix: string, { candidates, filesBehind }: Completion): Completion {
  return {
    candidates: candidates.map(({ word, about }) => ({ word: `${prefix}${word}`, about })),
    ...(filesBehind === undefined ? {} : { filesBehind: `${prefix}${filesBehind}` }),
  }
}

interface Argument {
  readonly command: Command
  readonly positionals: readonly string[]
  readonly text: string
  readonly sources: CompletionSources
}

async function offerArgument({ command, positionals, text, sources }: Argument): Promise<Completion> {
  const words = command.usage.split(' ').slice(1)
  const [first] = positionals
  const isAddressed = words[0] === 'ADDRESS'
  const { fallback } = sources
  const names = isAddressed && first !== undefined && looksLikeAddress(first)
  const leavesOut = isAddressed && fallback !== undefined && !names
  const address = names ? first : leavesOut ? fallback : undefined
  const before = leavesOut || !isAddressed ? positionals : positionals.slice(1)
  const word = wordAt(isAddressed ? words.slice(1) : words, before.length)
  const offered = await offerBehindAddress(word, { command, address, before, text, sources })
  if (!isAddressed || first !== undefined) return offered
  const addresses = await offerValue('ADDRESS', text, sources)
  return { ...offered, ...addresses, candidates: [...addresses.candidates, ...(leavesOut ? offered.candidates : [])] }
}

/** The word of a usage that an argument stands for; the last may stand for several. */
function wordAt(words: readonly string[], index: number): string {
  const last = words.at(-1) ?? ''
  return (words[index] ?? (last.includes('...') ? last : '')).replaceAll(/[[\].]/g, '')
}

interface AddressedArgument {
  readonly command: Command
  readonly address: string | undefined
  readonly before: readonly string[]
  readonly text: string
  readonly sources: CompletionSources
}

async function offerBehindAddress(
  word: string,
  { command, address, before, text, sources }: AddressedArgument,
): Promise<Completion> {
  if (word !== 'METHOD' && word !== 'PARAMS') return await offerValue(word, text, sources)
  if (text.startsWith('@')) return { candidates: [], filesBehind: '@' }
  const members = address === undefined ? [] : await sources.members(address)
  if (word === 'METHOD') return { candidates: members.filter(({ kind }) => suits(kind, command)).map(memberName) }
  const [method, ...params] = before
  return {
    candidates: paramNames(
      members.find(({ name }) => name === method),
      params,
    ),
  }
}

function suits(kind: MemberDescription['kind'], { name }: Command): boolean {
  if (name === 'sub') return kind !== 'method'
  return name === 'describe' || kind === 'method'
}

function memberName({ name, summary, kind }: MemberDescription): Candidate {
  return { word: name, about: summary ?? kind }
}

function paramNames(member: MemberDescription | undefined, given: readonly string[]): Candidate[] {
  if (member?.named !== true) return []
  return member.params
    .filter(({ name }) => !given.some((argument) => argument.startsWith(`${name}=`)))
    .map(({ name, summary, required }) => ({
      word: `${name}=`,
      about: summary ?? (required ? 'required' : 'optional'),
    }))
}

async function offerValue(word: string, text: string, sources: CompletionSources): Promise<Completion> {
  switch (word) {
    case 'ADDRESS':
    case 'SOCKET':
      return await offerSockets(word, text, sources)
    case 'CALLS':
      return text.startsWith('@') ? { candidates: [], filesBehind: '@' } : nothing
    case 'MODULE':
    case 'FILE':
      return { candidates: [], filesBehind: '' }
    case 'NAME=NUMBER':
      return {
        candidates: Object.entries(defaultLimits).map(([name, value]) => ({
          word: `${name}=`,
          about: `default ${value}`,
        })),
      }
    default:
      return { candidates: word.split('|').length < 2 ? [] : word.split('|').map((one) => ({ word: one, about: '' })) }
  }
}

/** Those that live, for an ADDRESS; those that do not, where they are to be removed. */
async function offerSockets(word: 'ADDRESS' | 'SOCKET', text: string, sources: CompletionSources): Promise<Completion> {
  const unix = 'unix:'
  if (text.startsWith(unix)) return { candidates: [], filesBehind: unix }
  if (/^[./~]/.test(text)) return { candidates: [], filesBehind: '' }
  const sockets = (await sources.sockets()).filter(({ alive }) => alive === (word === 'ADDRESS'))
  return {
    candidates: [
      ...sockets.map(({ address, path }) => ({ word: address, about: path })),
      { word: unix, about: 'a socket by its path' },
    ],
  }
}
