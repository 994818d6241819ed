/**
 * JSON Schemas as TypeScript types. What has no type of its own, such as a pattern or a range, is left out, and what is
 * not understood is `unknown`: the text compiles, whatever the schemas say.
 *
 * Source: JSON Schema draft-07 and 2020-12; `nullable` is OpenAPI's.
 */

import { formatJson } from './format-json.ts'
import { asObject, asText, type JsonObject, lastSegment, valueAt } from './json-document.ts'
import type { ParamDescription } from './service-description.ts'
import {
  inParentheses,
  intersect,
  literal,
  objectType,
  type PropertyText,
  simple,
  type TypeText,
  tupleType,
  typeName,
  unite,
  unknownType,
} from './type-text.ts'

/** A type that has a name, since a schema refers to it. */
interface NamedType {
  readonly name: string
  readonly schema: unknown
  readonly root: unknown
  text: string
}

/** Where a type will stand. */
interface Place {
  /** The schema that the references of this one begin at. */
  readonly root: unknown
  /** A name for what has none of its own. */
  readonly hint: string
  readonly indent: string
  readonly depth: number
  /** The named type that this one is, or is a part of that TypeScript looks into when it first meets it. */
  readonly owner: string | undefined
  /** Within a tuple with a rest, where TypeScript looks into arrays too, which it else puts off. */
  readonly eager: boolean
}

/** Where the type of a schema begins. */
const beginning = { depth: 0, owner: undefined, eager: false } as const

/** Nobody reads what is nested more deeply. */
const maxDepth = 32

/** Turns the schemas of one document into types, and collects those that others refer to. */
export class SchemaTypes {
  readonly #document: JsonObject
  readonly #named = new Map<string, NamedType>()
  readonly #unwritten: NamedType[] = []
  readonly #usedNames: Set<string>
  /** Which named types are parts of which others: TypeScript refuses a circle of these. */
  readonly #parts = new Map<string, Set<string>>()
  readonly #scopes = new Map<string, number>()
  readonly #scopeKeys = new WeakMap<object, string>()

  /** `reserved`: names that mean something else where the types will stand. */
  constructor(document: JsonObject, reserved: readonly string[] = []) {
    this.#document = document
    this.#usedNames = new Set(reserved)
  }

  /** The type of a schema. `hint` names what refers to it; a line break in it is followed by `indent`. */
  type(schema: unknown, hint: string, indent = ''): string {
    const { text } = this.#type(schema, { ...beginning, root: schema, hint, indent })
    this.#writeNamed()
    return text
  }

  /** The type of the object that params by name travel in, or of the array of those by position. */
  params(params: readonly ParamDescription[], named: boolean, hint: string, indent = ''): string {
    const place = { ...beginning, hint, indent: `${indent}  ` }
    const texts = params.map((param) => ({
      ...param,
      label: param.name,
      comment: param.summary,
      type: this.#type(param.schema, { ...place, root: param.schema }),
    }))
    this.#writeNamed()
    return (named ? objectType(texts, { index: undefined, indent }) : tupleType(texts, undefined)).text
  }

  /** The types that were referred to, each as `type NAME = …`. */
  declarations(): string[] {
    return [...this.#named.values()].map(({ name, text }) => `type ${name} = ${text}`)
  }

  #type(given: unknown, place: Place): TypeText {
    if (given === false) return simple('never')
    const schema = asObject(given)
    if (schema === undefined || place.depth > maxDepth) return unknownType
    const reference = asText(schema['$ref'])
    const type = reference === undefined ? intersect(this.#demands(schema, place)) : this.#reference(reference, place)
    return schema['nullable'] === true ? unite([type, simple('null')]) : type
  }

  /** What a value must be, all at once. */
  #demands(schema: JsonObject, place: Place): TypeText[] {
    const each = (list: unknown): TypeText[] =>
      Array.isArray(list) ? list.map((one) => this.#type(one, { ...place, depth: place.depth + 1 })) : []
    const demands = each(schema['allOf'])
    for (const choices of [each(schema['anyOf']), each(schema['oneOf'])]) {
      if (choices.length > 0) demands.push(unite(choices))
    }
    if ('const' in schema) demands.push(literal(schema['const']))
    else if (Array.isArray(schema['enum'])) demands.push(unite(schema['enum'].map(literal)))
    else if (demands.length === 0 || !saysOnlyObject(schema)) demands.push(this.#plain(schema, place))
    if (allowsNothing(schema['not'])) demands.push(simple('never'))
    return demands
  }

  #plain(schema: JsonObject, place: Place): TypeText {
    const { type = impliedType(schema) } = schema
    const names: readonly unknown[] = Array.isArray(type) ? type : [type]
    return unite(names.map((name) => this.#typeNamed(name, schema, place)))
  }

  #typeNamed(name: unknown, schema: JsonObject, place: Place): TypeText {
    switch (name) {
      case 'string':
      case 'number':
      case 'boolean':
      case 'null':
        return simple(name)
      case 'integer':
        return simple('number')
      case 'array':
        return this.#array(schema, { ...place, depth: place.depth + 1 })
      case 'object':
        return this.#object(schema, { ...place, depth: place.depth + 1, owner: undefined, eager: false })
      default:
        return unknownType
    }
  }

  #array(schema: JsonObject, place: Place): TypeText {
    const { prefixItems, items, additionalItems, minItems } = schema
    const listed = Array.isArray(prefixItems) ? prefixItems : items
    const rest = Array.isArray(prefixItems) ? items : additionalItems
    const eager = place.eager || (Array.isArray(listed) && allowsMore(rest))
    const inside = { ...place, eager, owner: eager ? place.owner : undefined }
    if (!Array.isArray(listed)) return simple(`${inParentheses(this.#type(items, inside))}[]`)
    const required = typeof minItems === 'number' ? minItems : listed.length
    const elements = listed.map((element: unknown, index) => {
      return { label: undefined, type: this.#type(element, inside), required: index < required }
    })
    return tupleType(elements, allowsMore(rest) ? this.#type(rest, inside) : undefined)
  }

  #object(schema: JsonObject, place: Place): TypeText {
    const inside = { ...place, indent: `${place.indent}  ` }
    const { properties, additionalProperties: more, patternProperties, required } = schema
    const requiredNames = new Set<unknown>(Array.isArray(required) ? required : [])
    const texts = Object.entries(asObject(properties) ?? {}).map(
      ([name, property]): PropertyText => ({
        name,
        type: this.#type(property, inside),
        required: requiredNames.has(name),
        comment: asText(asObject(property)?.['description']),
      }),
    )
    const open = patternProperties !== undefined || (more !== undefined && more !== false)
    // Beside properties its type would have to allow theirs.
    if (texts.length > 0) return objectType(texts, { index: open ? unknownType : undefined, indent: place.indent })
    const index = more === false && !open ? simple('never') : this.#type(more, inside)
    return objectType([], { index, indent: place.indent })
  }

  /** A named type. A circle that TypeScript would refuse is broken where it closes. */
  #reference(reference: string, { root, hint, owner }: Place): TypeText {
    const scope = valueAt(root, reference) === undefined ? this.#document : root
    const schema = valueAt(scope, reference)
    if (schema === undefined) return unknownType
    const key = `${this.#scopeOf(scope, reference)} ${reference}`
    const wanted = typeName(lastSegment(reference)) || hint
    const known = this.#named.get(key) ?? this.#name(key, wanted, { schema, root: scope })
    if (owner === undefined) return simple(known.name)
    if (this.#contains(known.name, owner)) return unknownType
    this.#partsOf(owner).add(known.name)
    return simple(known.name)
  }

  #name(key: string, wanted: string, meant: Pick<NamedType, 'schema' | 'root'>): NamedType {
    let name = wanted
    for (let number = 2; this.#usedNames.has(name); number++) name = `${wanted}${number}`
    this.#usedNames.add(name)
    const named = { ...meant, name, text: '' }
    this.#named.set(key, named)
    this.#unwritten.push(named)
    return named
  }

  /** Not at the moment they are met: a chain of references may be longer than a stack is deep. */
  #writeNamed(): void {
    for (let named = this.#unwritten.shift(); named !== undefined; named = this.#unwritten.shift()) {
      const { name, schema, root } = named
      named.text = this.#type(schema, { ...beginning, root, hint: name, indent: '', owner: name }).text
    }
  }

  /** Each method brings its definitions along: the same ones are one, others of the same name are others. */
  #scopeOf(scope: unknown, reference: string): number {
    const block = valueAt(scope, /^#\/[^/]+(?=\/)/.exec(reference)?.[0] ?? '#')
    const text = typeof block === 'object' && block !== null ? this.#scopeKey(block) : ''
    const known = this.#scopes.get(text) ?? this.#scopes.size
    this.#scopes.set(text, known)
    return known
  }

  #scopeKey(block: object): string {
    const text = this.#scopeKeys.get(block) ?? formatJson(block)
    this.#scopeKeys.set(block, text)
    return text
  }

  #partsOf(name: string): Set<string> {
    const parts = this.#parts.get(name) ?? new Set()
    this.#parts.set(name, parts)
    return parts
  }

  #contains(whole: string, part: string): boolean {
    const seen = new Set([whole])
    for (const name of seen) {
      if (name === part) return true
      for (const next of this.#parts.get(name) ?? []) seen.add(next)
    }
    return false
  }
}

/** What a schema is about that does not say it. */
function impliedType(schema: JsonObject): string | undefined {
  if ('properties' in schema || 'additionalProperties' in schema || 'patternProperties' in schema) return 'object'
  return 'items' in schema || 'prefixItems' in schema ? 'array' : undefined
}

/** "Some object": beside what says which one, that is nothing new. */
function saysOnlyObject(schema: JsonObject): boolean {
  return schema['type'] === 'object' && !('properties' in schema) && !('additionalProperties' in schema)
}

/** Left out it would allow anything; but who lists elements means them to be all. */
function allowsMore(rest: unknown): boolean {
  return rest !== undefined && rest !== false
}

function allowsNothing(not: unknown): boolean {
  const schema = asObject(not)
  return not === true || (schema !== undefined && Object.keys(schema).length === 0)
}
