/**
 * The PARAMS of a command line, as the value that travels.
 *
 * ```
 * (none)                    no params
 * 7 true latest '"7"'       [7, true, "latest", "7"]    JSON where it parses, else a string
 * '{"a":1}'  or  '[1,2]'    itself, when it is the only one
 * a=1 b=x                   {"a":1,"b":"x"}             when all have this form, and a value
 * @file  or  -              the JSON in the file, or on stdin, as one param
 * ```
 */

import { json } from '../codecs/json.ts'
import { isPosternError } from '../core/errors.ts'
import { checkStdinOnce, type DocumentSources, readDocument, type TextDocument } from './document-argument.ts'
import { UsageError } from './usage-error.ts'

/** Where params come from beside the command line, and whom to tell of a likely slip. */
export interface ParamSources extends DocumentSources {
  readonly warn: (text: string) => void
}

/**
 * The params that the arguments stand for; undefined when there are none.
 *
 * Throws `UsageError` for a whole number that would be rounded, and for a file that cannot be read or is not JSON.
 */
export async function parseParams(args: readonly string[], sources: ParamSources): Promise<unknown> {
  if (args.length === 0) return undefined
  const pairs = args.map((argument) => pairPattern.exec(argument))
  const params = pairs.every((pair) => pair !== null)
    ? parsePairs(pairs, sources)
    : await parsePositionals(args, sources)
  checkDepth(params)
  return params
}

/** A value must follow, and not only `=`: base64 may end in those. */
const pairPattern = /^([A-Za-z_][A-Za-z0-9_.-]*)=(?!=*$)(.*)$/s

function parsePairs(pairs: readonly RegExpExecArray[], sources: ParamSources): unknown {
  const members = new Map<string, unknown>()
  for (const [, key = '', text = ''] of pairs) {
    if (members.has(key)) throw new UsageError(`the param ${key}= stands twice`)
    members.set(key, parseArgument(text, sources))
  }
  return Object.fromEntries(members)
}

async function parsePositionals(args: readonly string[], sources: ParamSources): Promise<unknown> {
  checkStdinOnce(args)
  const values: unknown[] = []
  for (const argument of args) values.push(await parsePositional(argument, sources))
  const [sole] = values
  return values.length === 1 && typeof sole === 'object' && sole !== null ? sole : values
}

async function parsePositional(argument: string, sources: ParamSources): Promise<unknown> {
  const document = await readDocument(argument, sources)
  return document === undefined ? parseArgument(argument, sources) : parseDocument(document)
}

/** One argument: JSON where it parses, else the string that it is. */
function parseArgument(text: string, { warn }: ParamSources): unknown {
  try {
    return parseExactly(text, shorten(text))
  } catch (error) {
    if (error instanceof UsageError) throw error
    const slip = /^\s*[[{"]/.test(text)
    if (slip)
      warn(`${shorten(text)} looks like JSON but is not, so it is sent as a string (${(error as Error).message})`)
    return text
  }
}

/** A whole file or stdin, which must be JSON. */
function parseDocument({ name, text }: TextDocument): unknown {
  try {
    return parseExactly(text, name)
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`${name} is not JSON: ${(error as Error).message}`)
  }
}

/** JSON text as a value. Throws what `JSON.parse` throws, or `UsageError` where it would have rounded. */
export function parseExactly(text: string, name: string): unknown {
  const value: unknown = JSON.parse(text)
  try {
    // Reads it once more, with an eye to its numbers, in the array that it will travel in.
    json.decode(Buffer.from(`[${text}]`), { integers: 'error' })
  } catch (error) {
    if (!isPosternError(error)) throw error
    throw new UsageError(`${name}: ${error.sentence.replace(/;.*/s, '')}; write it as a string: '"..."'`)
  }
  return value
}

/** Before anything is sent: what is nested too deeply for the codec is wrong use, not a defect. */
export function checkDepth(params: unknown): void {
  try {
    json.encode(params)
  } catch (error) {
    throw new UsageError(`the params cannot be sent: ${(error as Error).message}`)
  }
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
