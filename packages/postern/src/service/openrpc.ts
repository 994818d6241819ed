/**
 * What `rpc.discover` answers: the service as an OpenRPC document. Source: the OpenRPC specification 1.3.2.
 *
 * Streams and events are not methods, so they stand in extensions of the document, as `x-streams` and `x-events`; the
 * contract's name and separator, from which a client can make it again, in `x-contract`.
 */

import { declaredErrorNumber } from '../protocols/json-rpc-codes.ts'
import { wireName } from './contract.ts'
import type { Member, MethodMember, StreamMember } from './members.ts'
import type { Route, Service } from './routes.ts'
import { jsonSchemaOf } from './standard-schema.ts'

type Json = Readonly<Record<string, unknown>>

/** Describes what a service offers at one address; a handler without a contract takes and gives anything. */
export function describeService({ title, contract, routes }: Service): Json {
  const streams = routes.flatMap(({ name, member }) => (member?.kind === 'stream' ? [{ name, member }] : []))
  const events = routes.flatMap(({ name, member }) => (member?.kind === 'event' ? [{ name, member }] : []))
  const subscribe = contract === undefined ? {} : { subscribe: wireName(contract, 'subscribe') }
  return {
    openrpc: '1.3.2',
    info: { title, version: '0.0.0' },
    methods: routes.filter(isMethod).map(({ name, member }) => describeMethod(name, member)),
    ...(contract === undefined ? {} : { 'x-contract': { name: contract.name, separator: contract.separator } }),
    ...(streams.length === 0
      ? {}
      : { 'x-streams': streams.map(({ name, member }) => describeStream(name, member, subscribe)) }),
    ...(events.length === 0
      ? {}
      : {
          'x-events': events.map(({ name, member }) => ({
            name,
            ...summaryOf(member),
            ...subscribe,
            payload: jsonSchemaOf(member.payload, 'output'),
          })),
        }),
  }
}

function isMethod(route: Route): route is Route & { readonly member: MethodMember | undefined } {
  return route.member === undefined || route.member.kind === 'method'
}

function describeMethod(name: string, method: MethodMember | undefined): Json {
  return {
    name,
    ...summaryOf(method),
    ...describeParams(method, method?.positional === true),
    result: { name: 'result', schema: jsonSchemaOf(method?.returns, 'output') },
    ...(method?.errors === undefined ? {} : { errors: describeErrors(method.errors) }),
  }
}

function describeStream(name: string, stream: StreamMember, subscribe: Json): Json {
  return {
    name,
    ...summaryOf(stream),
    ...subscribe,
    ...describeParams(stream, false),
    item: jsonSchemaOf(stream.yields, 'output'),
  }
}

function summaryOf(member: Member | undefined): Json {
  return member?.summary === undefined ? {} : { summary: member.summary }
}

function describeErrors(errors: NonNullable<MethodMember['errors']>): readonly Json[] {
  return Object.entries(errors).map(([code, schema]) => ({
    code: declaredErrorNumber,
    message: code,
    data: schema === null ? { code } : { code, details: jsonSchemaOf(schema, 'output') },
  }))
}

/** By name where the one value is an object, by position where it is an array or anything else. */
function describeParams(member: Pick<MethodMember, 'params'> | undefined, positional: boolean): Json {
  if (member?.params === undefined) return { params: [] }
  const schema = jsonSchemaOf(member.params, 'input')
  if (schema['type'] === 'object') return { paramStructure: 'by-name', params: describeProperties(schema) }
  const items = schema['prefixItems'] ?? schema['items']
  if (positional && Array.isArray(items)) {
    const params = items.map((item, index) => {
      return { name: `param${index + 1}`, required: true, schema: withDefinitions(item as Json, schema) }
    })
    return { paramStructure: 'by-position', params }
  }
  return { paramStructure: 'by-position', params: [{ name: 'value', required: true, schema }] }
}

function describeProperties(schema: Json): readonly Json[] {
  const required = new Set(Array.isArray(schema['required']) ? schema['required'] : [])
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, Json>)
  // OpenRPC wants what is required to stand first.
  const ordered = [...properties].sort(([a], [b]) => Number(required.has(b)) - Number(required.has(a)))
  return ordered.map(([name, property]) => {
    return { name, required: required.has(name), schema: withDefinitions(property, schema) }
  })
}

/** A part takes along what it refers to: a reference is read from the top of the schema in which it stands. */
function withDefinitions(part: Json, { definitions, $defs }: Json): Json {
  if (!JSON.stringify(part).includes('"$ref"')) return part
  return { ...part, ...(definitions === undefined ? {} : { definitions }), ...($defs === undefined ? {} : { $defs }) }
}
