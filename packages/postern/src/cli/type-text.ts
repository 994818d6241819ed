/**
 * Pieces of TypeScript text. What a peer named or wrote stands in them quoted or escaped, so that it stays what it is.
 */

import { escapeText } from '../core/escape.ts'

/** A type, and whether it needs parentheses before `[]` and beside `&`. */
export interface TypeText {
  readonly text: string
  readonly compound: boolean
}

/** A type that stands for itself. */
export function simple(text: string): TypeText {
  return { text, compound: false }
}

/** The type of which nothing is known. */
export const unknownType: TypeText = simple('unknown')

/** One of the types. */
export function unite(types: readonly TypeText[]): TypeText {
  const texts = new Set(types.map(({ text }) => text))
  if (texts.has('unknown')) return unknownType
  texts.delete('never')
  const [sole = 'never'] = texts
  if (texts.size < 2) return types.find(({ text }) => text === sole) ?? simple(sole)
  return { text: [...texts].join(' | '), compound: true }
}

/** All of the types at once. */
export function intersect(types: readonly TypeText[]): TypeText {
  const known = types.filter(({ text }) => text !== 'unknown')
  const [first = unknownType] = known
  if (known.length < 2) return first
  return { text: [...new Set(known.map(inParentheses))].join(' & '), compound: true }
}

/** The type, so that `[]` may follow. */
export function inParentheses({ text, compound }: TypeText): string {
  return compound ? `(${text})` : text
}

/** The type of exactly this value. */
export function literal(value: unknown): TypeText {
  if (typeof value === 'string') return simple(quote(value))
  if (typeof value === 'number') return simple(Number.isFinite(value) ? String(value) : 'number')
  if (typeof value === 'boolean' || value === null) return simple(String(value))
  return typeof value === 'bigint' ? simple('number') : unknownType
}

/** One property of an object type. */
export interface PropertyText {
  readonly name: string
  readonly type: TypeText
  readonly required: boolean
  readonly comment: string | undefined
}

/** An object type that is longer stands on several lines. */
const maxLineLength = 88

/** An object type; `index` is the type of further properties. A line break in it is followed by `indent`. */
export function objectType(
  properties: readonly PropertyText[],
  { index, indent }: { readonly index: TypeText | undefined; readonly indent: string },
): TypeText {
  const lines = properties.map(({ name, type, required }) => `${propertyKey(name)}${required ? '' : '?'}: ${type.text}`)
  if (index !== undefined) lines.push(`[key: string]: ${index.text}`)
  if (lines.length === 0) return simple('{ [key: string]: never }')
  const oneLine = `{ ${lines.join('; ')} }`
  const short = indent.length + oneLine.length <= maxLineLength && !oneLine.includes('\n')
  if (short && properties.every(({ comment }) => comment === undefined)) return simple(oneLine)
  const inner = `${indent}  `
  const rows = lines.map((line, index) => `${docComment(properties[index]?.comment, inner)}${inner}${line}\n`)
  return simple(`{\n${rows.join('')}${indent}}`)
}

/** One place of a tuple type. */
export interface ElementText {
  readonly label: string | undefined
  readonly type: TypeText
  readonly required: boolean
}

/** A tuple type; `rest` is the type of further elements. What stands behind an optional element is optional too. */
export function tupleType(elements: readonly ElementText[], rest: TypeText | undefined): TypeText {
  const required = elements.map((one) => one.required).lastIndexOf(true)
  const labels = rest === undefined && elements.every(({ label }) => label !== undefined && isIdentifier(label))
  const texts = elements.map(({ label, type }, index) => {
    const mark = index > required ? '?' : ''
    return labels
      ? `${variableName(label ?? '')}${mark}: ${type.text}`
      : `${mark === '' ? type.text : inParentheses(type)}${mark}`
  })
  if (rest !== undefined) texts.push(`...${inParentheses(rest)}[]`)
  return simple(`[${texts.join(', ')}]`)
}

/** Words that name no constant in a module, and no place of a tuple. */
const reservedWords = new Set(
  [
    'arguments await break case catch class const continue debugger default delete do else enum eval export extends',
    'false finally for function if implements import in instanceof interface let new null package private protected',
    'public return static super switch this throw true try typeof undefined var void while with yield',
  ].flatMap((line) => line.split(' ')),
)

/** An identifier as the name of something; a word of the language gets a `_`. */
export function variableName(identifier: string): string {
  return reservedWords.has(identifier) ? `${identifier}_` : identifier
}

/** A name as the key of a property. */
function propertyKey(name: string): string {
  return isIdentifier(name) ? name : quote(name)
}

/** Text as a string literal. */
export function quote(text: string): string {
  const double = escapeText(JSON.stringify(text))
  return double === `"${text}"` && !text.includes("'") ? `'${text}'` : double
}

/** Text as a comment on a line of its own, or nothing for no text. It cannot end the comment, nor be a directive. */
export function docComment(text: string | undefined, indent: string): string {
  const line = (text ?? '').replaceAll(/\s+/g, ' ').trim()
  if (line === '') return ''
  const harmless = escapeText(line)
    .replaceAll('*/', '*\\/')
    .replaceAll(/(?<!\w)@/g, '\\@')
  return `${indent}/** ${harmless} */\n`
}

/** Text as the name of a type: its words, each with a capital letter. */
export function typeName(text: string): string {
  const words = text.split(/[^A-Za-z0-9]+/).map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
  return words.join('').replace(/^\d+/, '')
}

function isIdentifier(text: string): boolean {
  return /^[A-Za-z_$][\w$]*$/.test(text)
}
