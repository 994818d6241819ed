/**
 * What `rpc.discover` answers: the service as an OpenRPC document. Source: the OpenRPC specification 1.3.2.
 */

import type { Method } from './contract.ts'
import { jsonSchemaOf } from './standard-schema.ts'

type Json = Readonly<Record<string, unknown>>

/** Describes methods by their names on the wire; one without a definition takes and gives anything. */
export function describeService(title: string, methods: ReadonlyMap<string, Method | undefined>): Json {
  return {
    openrpc: '1.3.2',
    info: { title, version: '0.0.0' },
    methods: [...methods].map(([name, method]) => describeMethod(name, method)),
  }
}

function describeMethod(name: string, method: Method | undefined): Json {
  return {
    name,
    ...(method?.summary === undefined ? {} : { summary: method.summary }),
    ...describeParams(method),
    result: { name: 'result', schema: jsonSchemaOf(method?.returns, 'output') },
  }
}

/** By name where the one value is an object, by position where it is an array or anything else. */
function describeParams(method: Method | undefined): Json {
  if (method?.params === undefined) return { params: [] }
  const schema = jsonSchemaOf(method.params, 'input')
  if (schema['type'] === 'object') return { paramStructure: 'by-name', params: describeProperties(schema) }
  const items = schema['prefixItems'] ?? schema['items']
  if (method.positional === true && Array.isArray(items)) {
    const params = items.map((item, index) => ({ name: `param${index + 1}`, required: true, schema: item as Json }))
    return { paramStructure: 'by-position', params }
  }
  return { paramStructure: 'by-position', params: [{ name: 'value', required: true, schema }] }
}

function describeProperties(schema: Json): readonly Json[] {
  const required = new Set(Array.isArray(schema['required']) ? schema['required'] : [])
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, Json>)
  // OpenRPC wants what is required to stand first.
  const ordered = [...properties].sort(([a], [b]) => Number(required.has(b)) - Number(required.has(a)))
  return ordered.map(([name, property]) => ({ name, required: required.has(name), schema: property }))
}
