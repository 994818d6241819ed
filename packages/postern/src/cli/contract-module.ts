/**
 * A TypeScript module with the contracts that a server describes.
 */

import { errorCodes } from '../core/errors.ts'
import { escapeText } from '../core/escape.ts'
import { SchemaTypes } from './schema-types.ts'
import type { MemberDescription, ServiceDescription } from './service-description.ts'
import { docComment, quote, typeName, variableName } from './type-text.ts'

/** One contract of a service. */
interface ContractParts {
  readonly name: string
  readonly separator: string
  /** Its members by their short names. */
  readonly members: Map<string, MemberDescription>
}

/** What the module imports or declares itself. */
const ownNames = ['contract', 'event', 'method', 'stream', 'typed']

/** The module's text. It compiles whatever the description holds; members that no contract can have are listed in it. */
export function contractModule(service: ServiceDescription, address: string): string {
  const { contracts, others } = contractsOf(service)
  const types = new SchemaTypes(service.document, ['StandardSchema'])
  const written = contracts.map((parts) => writeContract(parts, types))
  const sections = [
    `// What ${escapeText(address)} offers, as it described itself. Made by postern types; make it anew when that changes.\n`,
    ...importSections(written.flatMap(({ members }) => members)),
    ...types.declarations().map((declaration) => `export ${declaration}\n`),
    ...(written.length === 0 ? ['export {}\n'] : written.map(({ text }) => text)),
    ...othersSections(others),
  ]
  return sections.join('\n')
}

/** The contract that the server names or, where it names none, those that the names of its methods suggest. */
function contractsOf({ contract, members }: ServiceDescription): {
  readonly contracts: readonly ContractParts[]
  readonly others: readonly MemberDescription[]
} {
  const contracts = new Map<string, ContractParts>()
  const others: MemberDescription[] = []
  // A stream needs names that its contract then cannot give to others.
  const taken = members.some(({ kind }) => kind !== 'method') ? ['then', ...subscriptionWords] : ['then']
  for (const member of members) {
    const parts = contract === undefined ? splitName(member.name) : cutName(member.name, contract)
    const id = `${parts?.name} ${parts?.separator}`
    const known = contracts.get(id) ?? (parts && { ...parts, members: new Map<string, MemberDescription>() })
    if (parts === undefined || known === undefined || taken.includes(parts.key) || known.members.has(parts.key)) {
      others.push(member)
    } else {
      known.members.set(parts.key, member)
      contracts.set(id, known)
    }
  }
  return { contracts: [...contracts.values()], others }
}

const subscriptionWords = ['subscribe', 'unsubscribe', 'subscription']

interface NameParts {
  readonly name: string
  readonly separator: string
  readonly key: string
}

const separators = ['.', '_', '/']

function cutName(
  wireName: string,
  { name, separator }: NonNullable<ServiceDescription['contract']>,
): NameParts | undefined {
  const prefix = `${name}${separator}`
  const key = wireName.slice(prefix.length)
  const fits = wireName.startsWith(prefix) && separators.includes(separator) && isWord(name) && isWord(key)
  return fits && name !== 'rpc' ? { name, separator, key } : undefined
}

function splitName(wireName: string): NameParts | undefined {
  const [, name = '', separator = '', key = ''] = /^([A-Za-z][A-Za-z0-9]*)([._/])(.+)$/.exec(wireName) ?? []
  return cutName(wireName, { name, separator }) && { name, separator, key }
}

function isWord(text: string): boolean {
  return /^[A-Za-z][A-Za-z0-9_]*$/.test(text)
}

interface WrittenMember {
  readonly kind: MemberDescription['kind']
  readonly text: string
}

function writeContract(
  { name, separator, members }: ContractParts,
  types: SchemaTypes,
): { readonly text: string; readonly members: readonly WrittenMember[] } {
  const constant = ownNames.includes(name) ? `${name}_` : variableName(name)
  const written: WrittenMember[] = []
  let rows = ''
  for (const [key, member] of members) {
    const text = memberText(member, typeName(`${name} ${key}`), types)
    written.push({ kind: member.kind, text })
    rows += `${docComment(member.summary, '  ')}  ${key}: ${text},\n`
  }
  const options = separator === '.' ? '' : `, { separator: ${quote(separator)} }`
  return { text: `export const ${constant} = contract(${quote(name)}, {\n${rows}}${options})\n`, members: written }
}

function memberText(member: MemberDescription, hint: string, types: SchemaTypes): string {
  const options = [...paramsText(member, `${hint}Params`, types)]
  const gives = types.type(member.gives, hint, optionIndent)
  const key = { method: 'returns', stream: 'yields', event: 'payload' }[member.kind]
  if (gives !== 'unknown') options.push(`${key}: typed<${gives}>()`)
  if (member.kind === 'method') options.push(...errorsText(member, hint, types))
  const line = `{ ${options.join(', ')} }`
  if (options.length === 0) return `${member.kind}()`
  if (line.length <= 88 && !line.includes('\n')) return `${member.kind}(${line})`
  return `${member.kind}({\n${options.map((option) => `${optionIndent}${option},\n`).join('')}  })`
}

const optionIndent = '    '

function paramsText({ kind, params, named }: MemberDescription, hint: string, types: SchemaTypes): string[] {
  const [first] = params
  if (kind === 'event' || first === undefined) return []
  if (named) return [`params: typed<${types.params(params, true, hint, optionIndent)}>()`]
  // What a method of ours that takes one value calls it.
  if (kind === 'stream' || (params.length === 1 && first.name === 'value')) {
    return [`params: typed<${types.type(first.schema, hint, optionIndent)}>()`]
  }
  return [`params: typed<${types.params(params, false, hint, optionIndent)}>()`, 'positional: true']
}

function errorsText({ errors }: MemberDescription, hint: string, types: SchemaTypes): string[] {
  const texts = new Map<string, string>()
  for (const { declared } of errors) {
    if (declared === undefined || !isWord(declared.code) || Object.hasOwn(errorCodes, declared.code)) continue
    const { code, details } = declared
    texts.set(code, details === undefined ? 'null' : `typed<${types.type(details, `${hint}Error`, optionIndent)}>()`)
  }
  if (texts.size === 0) return []
  return [`errors: { ${[...texts].map(([code, text]) => `${code}: ${text}`).join(', ')} }`]
}

/** Imports no more than is used, since a project may forbid the rest. */
function importSections(members: readonly WrittenMember[]): string[] {
  if (members.length === 0) return []
  const kinds = (['event', 'method', 'stream'] as const).filter((kind) =>
    members.some((member) => member.kind === kind),
  )
  if (!members.some(({ text }) => text.includes('typed<')))
    return [`import { contract, ${kinds.join(', ')} } from 'postern'\n`]
  return [
    `import { contract, ${kinds.join(', ')}, type StandardSchema } from 'postern'\n`,
    `/** Gives a type and checks nothing: what arrives is believed to be of it. */
function typed<T>(): StandardSchema<T> {
  return { '~standard': { version: 1, vendor: 'postern', validate: (value) => ({ value: value as T }) } }
}
`,
  ]
}

function othersSections(others: readonly MemberDescription[]): string[] {
  if (others.length === 0) return []
  const names = others.map(({ name }) => `//   ${quote(name)}\n`)
  return [
    `// No contract can have these, whose members are called NAME.MEMBER; connection.call() takes any name:\n${names.join('')}`,
  ]
}
