/** The tables of the documentation that say what stands in the source, as Markdown. */

import { codeTraits, type ErrorCode } from '../../src/core/errors.ts'
import { defaultLimits, type Limits } from '../../src/core/limits.ts'
import type { Documented } from './workspace.ts'

/** The page with its tables as they should be; each stands between two comments that name it. */
export function withTables(page: string, tables: Readonly<Record<string, string>>): string {
  return page.replace(/(<!-- table: (\w+) -->\n)[^]*?(<!-- end of table -->)/g, (_whole, start, name, end) => {
    const table = tables[name as string]
    if (table === undefined) throw new Error(`there is no table ${name}; there are ${Object.keys(tables).join(', ')}`)
    return `${start}\n${table}\n${end}`
  })
}

/** Every code with its traits. */
export function errorTable(codes: readonly Documented[]): string {
  const rows = codes.map(({ name, text }) => {
    const { jsonRpc, retryable, exit } = codeTraits(name as ErrorCode)
    return [`\`${name}\``, oneLine(text), jsonRpc ?? '', retryable ? 'yes' : '', exit]
  })
  return table(['code', 'when', 'JSON-RPC', 'retryable', 'exit'], rows)
}

/** Every limit with its default and its reason. */
export function limitTable(limits: readonly Documented[]): string {
  const rows = limits.map(({ name, text }) => [`\`${name}\``, amount(name as keyof Limits), oneLine(text)])
  return table(['limit', 'default', 'what it bounds, and why so'], rows)
}

const mebibyte = 1024 * 1024

function amount(name: keyof Limits): string {
  const value = defaultLimits[name]
  const digits = value.toLocaleString('en-US')
  if (name.endsWith('Ms')) return `${digits} ms`
  if (name.endsWith('Bytes')) return value % mebibyte === 0 ? `${value / mebibyte} MiB` : `${digits} bytes`
  return digits
}

function oneLine(text: string): string {
  return text.replaceAll('\n', ' ')
}

function table(heads: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`
  return [line(heads), `|${'---|'.repeat(heads.length)}`, ...rows.map(line)].join('\n').concat('\n')
}
