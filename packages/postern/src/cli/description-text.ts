/**
 * A service and its members for people to read: signatures in TypeScript's notation.
 */

import { columns } from './columns.ts'
import { asObject, asText } from './json-document.ts'
import { SchemaTypes } from './schema-types.ts'
import type { MemberDescription, ServiceDescription } from './service-description.ts'
import { typeName } from './type-text.ts'

const sections = [
  ['method', 'Methods'],
  ['stream', 'Streams'],
  ['event', 'Events'],
] as const

/** All members with their signatures and summaries, and the types that they name. */
export function describeWholeService({ document, members }: ServiceDescription): string {
  const types = new SchemaTypes(document)
  const parts = sections.flatMap(([kind, title]) => {
    const lines = members
      .filter((member) => member.kind === kind)
      .map((member) => `  ${signature(member, types, '  ')}\n${paragraph(member.summary, '      ')}`)
    return lines.length === 0 ? [] : [`${title}\n${lines.join('')}`]
  })
  parts.push(...namedTypes(types))
  return parts.length === 0 ? 'Nothing is offered at this address.\n' : parts.join('\n')
}

/** One member in full, with a command line that uses it. */
export function describeMember(member: MemberDescription, service: ServiceDescription, address: string): string {
  const types = new SchemaTypes(service.document)
  const parts = [
    `${signature(member, types, '')}\n`,
    paragraph(member.summary, ''),
    table('Params', paramRows(member, types)),
    table('Errors', errorRows(member, types)),
    ...namedTypes(types),
    `On the command line\n  ${commandLine(member, service, address)}\n`,
  ]
  return parts.filter((part) => part !== '').join('\n')
}

/** As in `node.transfer({ to: string }): Receipt`. */
function signature(
  { kind, name, params, named, gives }: MemberDescription,
  types: SchemaTypes,
  indent: string,
): string {
  const given = types.type(gives, typeName(name), indent)
  if (kind === 'event') return `${name}: ${given}`
  const list = types.params(params, named, `${typeName(name)}Params`, indent)
  const taken = params.length === 0 ? '' : named ? list : list.slice(1, -1)
  return `${name}(${taken}): ${kind === 'stream' ? 'stream of ' : ''}${given}`
}

function paramRows({ params }: MemberDescription, types: SchemaTypes): string[][] {
  return params.map(({ name, required, schema, summary }) => {
    const type = oneLine(types.type(schema, typeName(name)))
    return [name, required ? type : `${type}, optional`, oneLine(summary ?? asText(asObject(schema)?.['description']))]
  })
}

function errorRows({ errors }: MemberDescription, types: SchemaTypes): string[][] {
  return errors.map(({ number, message, declared }) => {
    if (declared === undefined) return [String(number), oneLine(message)]
    return [declared.code, declared.details === undefined ? '' : oneLine(types.type(declared.details, 'Details'))]
  })
}

function namedTypes(types: SchemaTypes): string[] {
  const declarations = types.declarations()
  return declarations.length === 0
    ? []
    : [`Types\n${declarations.map((text) => `  ${text.replaceAll('\n', '\n  ')}\n`).join('')}`]
}

function table(title: string, rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  return `${title}\n${columns(rows, true).replaceAll(/^/gm, '  ').trimEnd()}\n`
}

function paragraph(text: string | undefined, indent: string): string {
  const line = oneLine(text)
  return line === '' ? '' : `${indent}${line}\n`
}

function oneLine(text = ''): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}

/** A command line that can be copied: what the server named is quoted, so that no shell obeys it. */
function commandLine(
  { kind, name, params, named }: MemberDescription,
  { contract }: ServiceDescription,
  address: string,
): string {
  const words = params.map((param) => (named ? `${param.name}=…` : `${param.name.toUpperCase()}`))
  const command = kind === 'method' ? 'call' : 'sub'
  return ['postern', command, address, name, ...words].map(shellWord).join(' ')
}

function shellWord(text: string): string {
  return /^[\w.,:/@%+=…-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
