import { escapeText } from '../core/escape.ts'
import { Answers } from './answers.ts'
import { type Command, type CommandLine, commonOptions } from './command.ts'
import { commands } from './commands.ts'
import { type Completion, complete } from './complete.ts'
import { completionScripts } from './completion-scripts.ts'
import { UsageError } from './usage-error.ts'

const options = {
  complete: { type: 'boolean', help: 'what the scripts ask: the words behind -- are those of the unfinished line' },
  ...commonOptions,
} as const

/** `postern completion`. */
export const command: Command = {
  name: 'completion',
  usage: 'completion bash|zsh|fish',
  about: `Prints a script that makes the Tab key of a shell complete commands, options, addresses and, of the servers behind
local: names, methods with their params. It needs postern on the PATH.`,
  options,
  examples: [
    ['source <(postern completion bash)', 'in ~/.bashrc'],
    ['source <(postern completion zsh)', 'in ~/.zshrc, behind compinit'],
    ['postern completion fish > ~/.config/fish/completions/postern.fish', 'once'],
  ],
  run,
}

async function run({ values, positionals }: CommandLine<typeof options>): Promise<void> {
  const text = values.complete === true ? await answerShell(positionals) : scriptFor(positionals)
  const answers = new Answers(process.stdout)
  await answers.write(text)
  await answers.flush()
}

function scriptFor([shell = '', extra]: readonly string[]): string {
  const script = Object.hasOwn(completionScripts, shell) ? completionScripts[shell] : undefined
  if (extra === undefined && script !== undefined) return script
  const names = Object.keys(completionScripts).join(', ')
  throw new UsageError(`completion takes the name of a shell, one of ${names}; see postern completion --help`)
}

/** Each candidate as `word TAB meaning`; a line that begins with TAB tells behind which text the shell may put a file. */
async function answerShell(words: readonly string[]): Promise<string> {
  const { candidates, filesBehind }: Completion = await complete(words, commands, {
    sockets: async () => await (await import('./completion-sources.ts')).socketsHere(),
    members: async (address) => await (await import('./completion-sources.ts')).membersAt(address),
    fallback: process.env['POSTERN_ADDRESS'] || undefined,
  })
  const lines = candidates.map(({ word, about }) => `${word}\t${escapeText(about.replaceAll(/\s+/g, ' '))}\n`)
  return `${lines.join('')}${filesBehind === undefined ? '' : `\t${filesBehind}\n`}`
}
