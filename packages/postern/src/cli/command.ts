/**
 * What a command of the program is, and how its arguments are read.
 */

import { parseArgs } from 'node:util'
import { nearest } from './nearest.ts'
import { UsageError } from './usage-error.ts'

/** One option of a command. */
export interface OptionSpec {
  readonly type: 'string' | 'boolean'
  readonly short?: string
  readonly multiple?: boolean
  /** What stands for the value in the help. */
  readonly value?: string
  readonly help: string
}

/** Options by their long names. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>

/** The values of the options that were given. */
export type OptionValues<O extends OptionSpecs> = { readonly [K in keyof O]?: OptionValue<O[K]> }

type OptionValue<S extends OptionSpec> = S extends { readonly type: 'boolean' }
  ? boolean
  : S extends { readonly type: 'string'; readonly multiple: true }
    ? readonly string[]
    : S extends { readonly type: 'string' }
      ? string
      : unknown

/** The arguments behind a command's name. */
export interface CommandLine<O extends OptionSpecs> {
  readonly values: OptionValues<O>
  readonly positionals: readonly string[]
}

/** A command. One file each, which exports nothing else. */
export interface Command {
  readonly name: string
  /** The command line, as in `call ADDRESS METHOD [PARAMS...]`. */
  readonly usage: string
  /** What it does, for the help: whole paragraphs. */
  readonly about: string
  readonly options: OptionSpecs
  /** Command lines with what they do. */
  readonly examples: readonly (readonly [line: string, does: string])[]
  /** Resolves when all is done and written; rejects with what the user is to be told. */
  run(line: CommandLine<OptionSpecs>): Promise<void>
}

/** A command that has not been loaded. */
export interface CommandEntry {
  readonly summary: string
  readonly load: () => Promise<{ readonly command: Command }>
  /** Runs code of the user, whose exceptions are not ours to reword. */
  readonly foreignCode?: boolean
}

/** Commands by their names. */
export type CommandTable = Readonly<Record<string, CommandEntry>>

/** The options that every command has. */
export const commonOptions = {
  json: { type: 'boolean', help: 'tell a failure as one line of JSON on stderr, and nothing else' },
  quiet: { type: 'boolean', short: 'q', help: 'nothing on stderr but errors' },
  help: { type: 'boolean', short: 'h', help: 'print this' },
} as const

/** Whether stderr may hold more than a failure: with `--json` that is its only line. */
export function allowsNews({ quiet, json }: OptionValues<typeof commonOptions>): boolean {
  return quiet !== true && json !== true
}

/**
 * Reads the arguments of a command. Options may stand anywhere; a negative number is no option; behind `--` nothing is.
 *
 * Throws `UsageError` for an option that does not exist, naming the nearest, for a value too many and for a missing one.
 */
export function parseCommandLine<O extends OptionSpecs>(
  command: { readonly name: string; readonly options: O },
  args: readonly string[],
): CommandLine<O> {
  const { values, positionals, tokens } = parseArgs({
    args: args.map(hideNumber),
    options: command.options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  for (const token of tokens) if (token.kind === 'option') checkOption(token, command)
  return { values: revealNumbers(values) as OptionValues<O>, positionals: positionals.map(revealNumber) }
}

/** Stands before a negative number while `parseArgs`, which would take it for options, reads; no argument can hold it. */
const hidden = '\0'

function hideNumber(text: string): string {
  return /^-[\d.]/.test(text) ? hidden + text : text
}

function revealNumber(text: string): string {
  return text.startsWith(hidden) ? text.slice(hidden.length) : text
}

function revealNumbers(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const reveal = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reveal)
    return typeof value === 'string' ? revealNumber(value) : value
  }
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, reveal(value)]))
}

interface OptionToken {
  readonly name: string
  readonly rawName: string
  readonly value?: string | undefined
  readonly inlineValue?: boolean | undefined
}

function checkOption(token: OptionToken, { name: command, options }: Pick<Command, 'name' | 'options'>): void {
  const { name, rawName, value, inlineValue } = token
  const spec = Object.hasOwn(options, name) ? options[name] : undefined
  if (spec === undefined) throw unknownOption(rawName, command, options)
  if (spec.type === 'boolean') {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value`)
    return
  }
  // Without "=" what looks like an option is one: the value was forgotten.
  const forgotten = value === undefined || (inlineValue !== true && value.startsWith('-') && value !== '-')
  if (forgotten) throw new UsageError(`${rawName} needs a value: ${rawName} ${spec.value ?? 'VALUE'}`)
}

function unknownOption(rawName: string, command: string, options: OptionSpecs): UsageError {
  const known = Object.keys(options)
  const near = rawName.startsWith('--') ? nearest(rawName.slice(2), known) : undefined
  const hint =
    near === undefined ? `there are ${known.map((name) => `--${name}`).join(', ')}` : `did you mean --${near}?`
  return new UsageError(`${command} has no option ${rawName}; ${hint}`)
}
