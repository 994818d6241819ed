/**
 * What a server says of itself: its OpenRPC document, read with the distrust that a peer deserves.
 *
 * Sources: the OpenRPC specification 1.3.2; streams, events and the contract are extensions of ours (service/openrpc.ts).
 */

import type { Connection } from '../app/connection.ts'
import { type ErrorCode, isPosternError, PosternError } from '../core/errors.ts'
import { asObject, asText, followReference, type JsonObject } from './json-document.ts'

/** A service, as its server describes it. */
export interface ServiceDescription {
  readonly title: string
  /** What its contract is called on the wire, where there is one. */
  readonly contract: { readonly name: string; readonly separator: string } | undefined
  /** In the order of the document: methods, streams, events. */
  readonly members: readonly MemberDescription[]
  /** The document as it came. */
  readonly document: JsonObject
}

/** A method, stream or event. */
export interface MemberDescription {
  readonly kind: 'method' | 'stream' | 'event'
  /** Its name on the wire. */
  readonly name: string
  readonly summary: string | undefined
  readonly params: readonly ParamDescription[]
  /** Whether the params travel as one object; else by position. */
  readonly named: boolean
  /** The JSON Schema of the result, of an item or of the payload. */
  readonly gives: unknown
  readonly errors: readonly ErrorDescription[]
  /** Its part of the document as it came. */
  readonly source: JsonObject
}

/** One param. */
export interface ParamDescription {
  readonly name: string
  readonly summary: string | undefined
  readonly required: boolean
  readonly schema: unknown
}

/** One error that a method may answer. */
export interface ErrorDescription {
  readonly number: number
  readonly message: string
  /** Where the contract declares it: its code, and the JSON Schema of its details. */
  readonly declared: { readonly code: string; readonly details: unknown } | undefined
}

/** What a server says when it does not know `rpc.discover`, as others than Postern do. */
const ignorance: ReadonlySet<ErrorCode> = new Set(['unknown_method', 'invalid_params', 'remote'])

/** Asks a server to describe itself. `unknown_method` when it cannot; `bad_message` when that makes no sense. */
export async function discover(connection: Connection, address: string): Promise<ServiceDescription> {
  try {
    return readService(await connection.call('rpc.discover'), address)
  } catch (error) {
    if (!isPosternError(error) || !ignorance.has(error.code)) throw error
    const sentence = `${address} does not describe itself, so it is not Postern (${error.sentence}); postern call and sub need no description`
    throw new PosternError('unknown_method', sentence, { cause: error })
  }
}

/** Reads an OpenRPC document. What makes no sense in it is left out; `bad_message` when it has no methods at all. */
export function readService(answer: unknown, address: string): ServiceDescription {
  const document = asObject(answer)
  if (document === undefined || !Array.isArray(document['methods'])) {
    throw new PosternError('bad_message', `what rpc.discover answered at ${address} is no OpenRPC document`)
  }
  const contract = asObject(document['x-contract'])
  const [name, separator] = [asText(contract?.['name']), asText(contract?.['separator'])]
  return {
    title: asText(asObject(document['info'])?.['title']) ?? '',
    contract: name === undefined || separator === undefined ? undefined : { name, separator },
    members: [
      ...readMembers(document, 'methods', 'method'),
      ...readMembers(document, 'x-streams', 'stream'),
      ...readMembers(document, 'x-events', 'event'),
    ],
    document,
  }
}

function readMembers(document: JsonObject, key: string, kind: MemberDescription['kind']): MemberDescription[] {
  return objectsIn(document[key], document).flatMap((source) => {
    const name = asText(source['name'])
    if (name === undefined || name === '') return []
    return [
      {
        kind,
        name,
        summary: asText(source['summary']) ?? asText(source['description']),
        params: readParams(source, document),
        named: isNamed(source),
        gives: givenBy(source, kind, document),
        errors: objectsIn(source['errors'], document).map(readError),
        source,
      },
    ]
  })
}

function givenBy(source: JsonObject, kind: MemberDescription['kind'], document: JsonObject): unknown {
  switch (kind) {
    case 'method':
      return asObject(followReference(source['result'], document))?.['schema']
    case 'stream':
      return source['item']
    case 'event':
      return source['payload']
  }
}

/** Of two with one name the first, where names tell them apart. */
function readParams(source: JsonObject, document: JsonObject): ParamDescription[] {
  const params = objectsIn(source['params'], document).map(readParam)
  if (!isNamed(source)) return params
  const byName = new Map<string, ParamDescription>()
  for (const param of params) if (!byName.has(param.name)) byName.set(param.name, param)
  return [...byName.values()]
}

function isNamed(source: JsonObject): boolean {
  return source['paramStructure'] === 'by-name'
}

function readParam(source: JsonObject, index: number): ParamDescription {
  return {
    name: asText(source['name']) ?? `param${index + 1}`,
    summary: asText(source['summary']) ?? asText(source['description']),
    required: source['required'] === true,
    schema: source['schema'],
  }
}

function readError(source: JsonObject): ErrorDescription {
  const data = asObject(source['data'])
  const code = asText(data?.['code'])
  return {
    number: typeof source['code'] === 'number' ? source['code'] : 0,
    message: asText(source['message']) ?? '',
    declared: code === undefined ? undefined : { code, details: data?.['details'] },
  }
}

function objectsIn(list: unknown, document: JsonObject): JsonObject[] {
  if (!Array.isArray(list)) return []
  return list.map((item: unknown) => asObject(followReference(item, document))).filter((item) => item !== undefined)
}
