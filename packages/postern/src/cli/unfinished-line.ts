import type { OptionSpec, OptionSpecs } from './command.ts'

/** The arguments of a command while they are typed. */
export interface UnfinishedLine {
  /** What stands before the cursor and is no option. */
  readonly positionals: readonly string[]
  /** The long names of the options that were given. */
  readonly given: ReadonlySet<string>
  /** The word at the cursor. */
  readonly current: CurrentWord
}

/** What the word at the cursor is; `text` is what is typed of it. */
export type CurrentWord =
  | { readonly kind: 'option'; readonly text: string }
  | { readonly kind: 'argument'; readonly text: string }
  | {
      readonly kind: 'value'
      readonly text: string
      readonly spec: OptionSpec
      /** What of the word stands before the value, as `--at=`. */
      readonly prefix: string
    }

/** Reads arguments of which the last is unfinished, by the rules of `parseCommandLine` but without complaint. */
export function readUnfinishedLine(args: readonly string[], options: OptionSpecs): UnfinishedLine {
  const positionals: string[] = []
  const given = new Set<string>()
  let waiting: OptionSpec | undefined
  let onlyPositionals = false
  for (const arg of args.slice(0, -1)) {
    if (waiting !== undefined) waiting = undefined
    else if (onlyPositionals || !isOption(arg)) positionals.push(arg)
    else if (arg === '--') onlyPositionals = true
    else {
      const { name, value } = readOption(arg, options)
      given.add(name)
      const spec = specOf(options, name)
      if (spec?.type === 'string' && value === undefined) waiting = spec
    }
  }
  return { positionals, given, current: readCurrent(args.at(-1) ?? '', options, { waiting, onlyPositionals }) }
}

interface Before {
  readonly waiting: OptionSpec | undefined
  readonly onlyPositionals: boolean
}

function readCurrent(text: string, options: OptionSpecs, { waiting, onlyPositionals }: Before): CurrentWord {
  if (waiting !== undefined) return { kind: 'value', text, spec: waiting, prefix: '' }
  if (onlyPositionals || !text.startsWith('-')) return { kind: 'argument', text }
  const { name, value } = readOption(text, options)
  const spec = specOf(options, name)
  if (value === undefined || spec === undefined) return { kind: 'option', text }
  return { kind: 'value', text: value, spec, prefix: text.slice(0, text.length - value.length) }
}

/** A lone dash is stdin, and a dash before a digit a minus. */
function isOption(text: string): boolean {
  return /^-[^\d.]/.test(text)
}

/** Of several short options in one word the last, which alone may take a value. */
function readOption(text: string, options: OptionSpecs): { readonly name: string; readonly value: string | undefined } {
  const [, long, value] = /^--([^=]*)(?:=(.*))?$/s.exec(text) ?? []
  if (long !== undefined) return { name: long, value }
  const short = text.slice(-1)
  const found = Object.entries(options).find(([, spec]) => spec.short === short)
  return { name: found?.[0] ?? short, value: undefined }
}

function specOf(options: OptionSpecs, name: string): OptionSpec | undefined {
  return Object.hasOwn(options, name) ? options[name] : undefined
}
