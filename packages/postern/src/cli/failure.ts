/**
 * How a command that failed says so: one line on stderr and an exit status.
 */

import { codeTraits, type ErrorCode, isPosternError, type PosternError } from '../core/errors.ts'
import { escapeText } from '../core/escape.ts'
import { formatJson } from './format-json.ts'
import { UsageError } from './usage-error.ts'

/** Wrong use of the command line. */
const usageStatus = 2

/** A defect of ours; the number of an answer that is an error. */
const defectStatus = 1

/** The exit status that an error ends the program with: the column `exit` of the table of codes. */
export function exitStatusOf(error: unknown): number {
  if (isPosternError(error)) return codeTraits(error.code).exit
  return error instanceof UsageError ? usageStatus : defectStatus
}

/** How a failure is to be told. */
export interface FailureStyle {
  /** As one line of JSON, for programs. */
  readonly json: boolean
  /** To a person at a terminal, where what the server added may take several lines. */
  readonly terminal: boolean
}

/** The text for stderr, without the last line break. Nothing in it can move a cursor or forge a line. */
export function describeFailure(error: unknown, { json, terminal }: FailureStyle): string {
  if (json) return formatJson({ error: plainFailure(error) })
  if (error instanceof UsageError) return escapeText(`postern: ${error.message}`)
  if (!isPosternError(error)) return escapeText(`postern: [internal] ${describeDefect(error)}`)
  const hint = hintFor(error)
  const line = escapeText(`postern: ${error.message}${hint === undefined ? '' : ` (${hint})`}`)
  const data = dataOf(error)
  return data === undefined ? line : `${line}${terminal ? describeData(data) : `, data: ${shortData(data)}`}`
}

/** What the messages of the library call by the names of its options. */
const hints: Partial<Record<ErrorCode, string>> = {
  deadline_exceeded: '--timeout TIME waits longer',
  frame_too_large: '--limit NAME=NUMBER changes a limit',
  limit_exceeded: '--limit NAME=NUMBER changes a limit',
}

/** The same for what a message names. */
const namedHints: Readonly<Record<string, string>> = {
  'rpc.auth': '--token-file FILE shows the token',
  'tls: { ca }': '--ca FILE does',
  'the option tls': '--tls or --ca FILE does',
  'the option trust': '--trust UID believes the server of that user',
}

function hintFor({ code, sentence }: PosternError): string | undefined {
  const [, hint] = Object.entries(namedHints).find(([name]) => sentence.includes(name)) ?? []
  return hint ?? hints[code]
}

function plainFailure(error: unknown): Readonly<Record<string, unknown>> {
  if (isPosternError(error)) {
    const { code, sentence: message, details } = error
    return details === undefined ? { code, message } : { code, message, details }
  }
  if (error instanceof UsageError) return { code: 'usage', message: error.message }
  return { code: 'internal', message: describeDefect(error) }
}

/** What a server put beside its error message. */
function dataOf({ details }: PosternError): unknown {
  return typeof details === 'object' && details !== null && 'data' in details ? details.data : undefined
}

/** Enough of it to be of use; `--json` gives the whole. */
const maxDataLength = 4_096

function shortData(data: unknown): string {
  return shorten(formatJson(data))
}

function describeData(data: unknown): string {
  const text = shorten(formatJson(data, { pretty: true }))
  return `\n  data: ${text.replaceAll('\n', '\n  ')}`
}

function shorten(text: string): string {
  return text.length <= maxDataLength ? text : `${text.slice(0, maxDataLength)}… (--json gives all of it)`
}

/** One line for the report of a defect: the error and where it was thrown. */
function describeDefect(error: unknown): string {
  if (!(error instanceof Error)) return `threw ${String(error)}`
  const place = /\n\s+at (.*)/.exec(error.stack ?? '')?.[1]
  return `${error.name}: ${error.message}${place === undefined ? '' : ` (at ${place})`}; this is a defect of postern`
}
