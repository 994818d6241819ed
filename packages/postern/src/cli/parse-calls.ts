/**
 * The calls of a batch, from arguments, files or stdin.
 *
 * ```
 * eth_chainId                              no params
 * ["eth_getBalance", ["0x…", "latest"]]    the method and its params
 * {"method": "node.info", "params": {}}    the same; jsonrpc and id may stand there and mean nothing
 * @file  or  -                             one of these a line
 * ```
 */

import type { BatchCall } from '../rpc/calling.ts'
import { checkStdinOnce, type DocumentSources, readDocument, type TextDocument } from './document-argument.ts'
import { checkDepth, parseExactly } from './parse-params.ts'
import { UsageError } from './usage-error.ts'

/** The calls that the arguments stand for. Throws `UsageError`, naming the line, for what is no call. */
export async function parseCalls(args: readonly string[], sources: DocumentSources): Promise<BatchCall[]> {
  checkStdinOnce(args)
  const calls: BatchCall[] = []
  for (const argument of args) {
    const document = await readDocument(argument, sources)
    if (document === undefined) calls.push(parseCall(argument, 'the call'))
    else for (const call of parseLines(document)) calls.push(call)
  }
  if (calls.length === 0)
    throw new UsageError('there is no call: give one a line on stdin, in a file or as an argument')
  return calls
}

function* parseLines({ name, text }: TextDocument): Generator<BatchCall> {
  let number = 0
  for (const line of text.split('\n')) {
    number++
    if (line.trim() !== '') yield parseCall(line.trim(), `${name}, line ${number}:`)
  }
}

/** What could not begin JSON, and is a name as servers give them. */
const methodPattern = /^[A-Za-z_$][\w.$/:-]*$/

function parseCall(text: string, place: string): BatchCall {
  if (methodPattern.test(text)) return [text]
  const value = parseJson(text, place)
  const { method, params, ...others } = membersOf(value)
  const unknown = Object.keys(others).filter((key) => key !== 'jsonrpc' && key !== 'id')
  if (typeof method !== 'string' || method === '' || unknown.length > 0) {
    throw new UsageError(
      `${place} ${shorten(text)} is no call; write METHOD, ["METHOD", PARAMS] or {"method": "METHOD", "params": PARAMS}`,
    )
  }
  if (params === undefined) return [method]
  checkDepth(params)
  return [method, params]
}

interface CallMembers {
  readonly method?: unknown
  readonly params?: unknown
}

function membersOf(value: unknown): CallMembers {
  if (!Array.isArray(value)) return typeof value === 'object' && value !== null ? value : {}
  const [method, params] = value as unknown[]
  return value.length > 2 ? {} : { method, params }
}

function parseJson(text: string, place: string): unknown {
  try {
    return parseExactly(text, `${place} ${shorten(text)}`)
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(
      `${place} ${shorten(text)} is neither the name of a method nor JSON: ${(error as Error).message}`,
    )
  }
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
