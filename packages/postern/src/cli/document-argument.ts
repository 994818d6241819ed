/**
 * Arguments that stand for a text elsewhere: `@file`, and `-` for stdin.
 */

import { isUtf8 } from 'node:buffer'
import { UsageError } from './usage-error.ts'

/** Where such texts come from. */
export interface DocumentSources {
  readonly readFile: (path: string) => Promise<Uint8Array>
  readonly readStdin: () => Promise<Uint8Array>
}

/** A text, and what it is called in messages. */
export interface TextDocument {
  readonly name: string
  readonly text: string
}

/**
 * The text that an argument stands for; undefined for any other argument.
 *
 * Throws `UsageError` for what cannot be read and for what is not UTF-8.
 */
export async function readDocument(argument: string, sources: DocumentSources): Promise<TextDocument | undefined> {
  if (isStdin(argument)) return await readText('stdin', sources.readStdin)
  if (!argument.startsWith('@')) return undefined
  const path = argument.slice(1)
  if (path === '')
    throw new UsageError('behind @ stands the name of a file, as @params.json; for the string write \'"@"\'')
  return await readText(argument, () => sources.readFile(path))
}

/** Throws `UsageError` when stdin stands for more than one of the arguments. */
export function checkStdinOnce(args: readonly string[]): void {
  if (args.filter(isStdin).length > 1) throw new UsageError('stdin can be read only once: give - no second time')
}

function isStdin(argument: string): boolean {
  return argument === '-' || argument === '@-'
}

async function readText(name: string, readBytes: () => Promise<Uint8Array>): Promise<TextDocument> {
  const bytes = await readBytes().catch((error: Error) => {
    throw new UsageError(`cannot read ${name}: ${error.message}`)
  })
  if (!isUtf8(bytes)) throw new UsageError(`${name} is not valid UTF-8`)
  return { name, text: new TextDecoder().decode(bytes) }
}
