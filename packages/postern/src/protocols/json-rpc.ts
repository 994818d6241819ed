/**
 * JSON-RPC 2.0, whole, as values.
 *
 * ```
 * call    {"jsonrpc":"2.0","id":1,"method":"sum","params":[1,2]}
 * result  {"jsonrpc":"2.0","id":1,"result":3}
 * error   {"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"...","data":...}}
 * note    {"jsonrpc":"2.0","method":"tick","params":{"n":1}}
 * batch   [ message, ... ]
 * ```
 *
 * Source: the JSON-RPC 2.0 specification. As servers in the wild do, an answer may come without its version and with
 * `"error": null` beside a result (JSON-RPC 1.0, Bitcoin Core).
 */

import { decodeJson, encodeJson, json } from '../codecs/json.ts'
import type { Limits } from '../core/limits.ts'
import { wireError } from './json-rpc-codes.ts'
import { type Id, type Incoming, type InvalidMessage, type Message, readWireError } from './message.ts'
import type { Peeked, Protocol } from './protocol.ts'

/** JSON-RPC 2.0 in JSON text. */
export const jsonRpc: Protocol = {
  name: 'json-rpc',
  maxId: Number.MAX_SAFE_INTEGER,
  exactIntegers: false,
  read: (frame, { limits, integers, raw }) =>
    readJsonRpc(decodeJson(frame, raw === true ? { integers, rawMember: 'result' } : { integers }), limits),
  readValue: (bytes, integers) => json.decode(bytes, { integers }),
  write: writeJsonRpc,
  writeBatch: (messages) => `[${messages.join(',')}]`,
  peek: peekJsonRpc,
}

/** The bounds on a message that are not about its size in bytes. */
export type JsonRpcLimits = Pick<Limits, 'maxMethodBytes' | 'maxIdBytes' | 'maxBatchCalls'>

/** Reads a decoded value: a message, a batch, or the error that answers what is neither. */
export function readJsonRpc(value: unknown, limits: JsonRpcLimits): Incoming {
  return Array.isArray(value) ? readBatch(value, limits) : readMessage(value, limits)
}

function readBatch(items: readonly unknown[], limits: JsonRpcLimits): Incoming {
  if (items.length === 0) return invalid(null, 'an empty batch')
  if (items.length > limits.maxBatchCalls) {
    const text = `a batch of ${items.length} exceeds limits.maxBatchCalls (${limits.maxBatchCalls})`
    return { kind: 'invalid', answer: { kind: 'error', id: null, error: wireError('limit_exceeded', text) } }
  }
  return { kind: 'batch', messages: items.map((item) => readMessage(item, limits)) }
}

type Members = Readonly<Record<string, unknown>>

function readMessage(value: unknown, limits: JsonRpcLimits): Message | InvalidMessage {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return invalid(null, 'not a JSON object')
  const members = value as Members
  if (members['method'] !== undefined) return readRequest(members, limits)
  if (Object.hasOwn(members, 'result') || Object.hasOwn(members, 'error')) return readAnswer(members)
  return invalid(null, 'neither method nor result nor error')
}

function readRequest(members: Members, limits: JsonRpcLimits): Message | InvalidMessage {
  const { method } = members
  const hasId = Object.hasOwn(members, 'id')
  const id = members['id']
  if (hasId && !isId(id, limits))
    return invalid(null, 'an id must be a whole number up to 2^53 - 1, a short string or null')
  const answerId = hasId ? (id as Id) : null
  if (members['jsonrpc'] !== '2.0') return invalid(answerId, 'the member jsonrpc must be "2.0"')
  if (typeof method !== 'string') return invalid(answerId, 'the method must be a string')
  if (!isShort(method, limits.maxMethodBytes)) {
    return invalid(answerId, `a method name over limits.maxMethodBytes (${limits.maxMethodBytes})`)
  }
  const params = members['params'] ?? undefined
  if (params !== undefined && typeof params !== 'object')
    return invalid(answerId, 'params must be an array or an object')
  return hasId ? { kind: 'call', id: answerId, method, params } : { kind: 'note', method, params }
}

function readAnswer(members: Members): Message | InvalidMessage {
  const id = members['id'] ?? null
  if (typeof id !== 'number' && typeof id !== 'string' && id !== null)
    return invalid(null, 'an answer with an id that is none')
  const error = members['error'] ?? undefined
  if (error === undefined) return { kind: 'result', id, value: members['result'] }
  return { kind: 'error', id, error: readWireError(error) }
}

function isId(id: unknown, limits: JsonRpcLimits): id is Id {
  if (typeof id === 'number') return Number.isSafeInteger(id)
  return id === null || (typeof id === 'string' && isShort(id, limits.maxIdBytes))
}

/** A UTF-16 unit takes at most three bytes, so short text need not be measured. */
function isShort(text: string, maxBytes: number): boolean {
  return text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes
}

function invalid(id: Id, why: string): InvalidMessage {
  return { kind: 'invalid', answer: { kind: 'error', id, error: wireError('bad_message', `invalid request: ${why}`) } }
}

/**
 * The text that carries a message. The envelope is written here and only the user's value by the codec: that is a third
 * cheaper than building an object for `JSON.stringify`.
 */
export function writeJsonRpc(message: Message): string {
  switch (message.kind) {
    case 'call':
      return `{"jsonrpc":"2.0","id":${idText(message.id)},"method":${nameText(message.method)}${paramsText(message.params)}}`
    case 'result':
      return `{"jsonrpc":"2.0","id":${idText(message.id)},"result":${encodeJson(message.value ?? null)}}`
    case 'error':
      return `{"jsonrpc":"2.0","id":${idText(message.id)},"error":${encodeJson(message.error)}}`
    case 'note':
      return `{"jsonrpc":"2.0","method":${nameText(message.method)}${paramsText(message.params)}}`
  }
}

function idText(id: Id): string {
  return typeof id === 'number' ? String(id) : JSON.stringify(id)
}

const plainName = /^[\w.$/]+$/

function nameText(name: string): string {
  return plainName.test(name) ? `"${name}"` : JSON.stringify(name)
}

/** By value: objects and arrays travel as they are, undefined is left out, anything else is the one positional parameter. */
function paramsText(params: unknown): string {
  if (params === undefined) return ''
  const text = encodeJson(params)
  // A Date, say, is an object here and a string on the wire.
  return text.startsWith('{') || text.startsWith('[') ? `,"params":${text}` : `,"params":[${text}]`
}

const version = '"jsonrpc"\\s*:\\s*"2\\.0"\\s*,\\s*'
const id = '"id"\\s*:\\s*(?:(\\d{1,15})|"((?:[^"\\\\]){0,256})")\\s*,\\s*'
const messageHead = new RegExp(`^\\s*\\{\\s*(?:${version})?${id}(?:${version})?"(method|params|result|error)"`)

/** Sees the id where it stands at the beginning, as most writers put it, and what follows tells whose it is. */
function peekJsonRpc(head: Uint8Array): Peeked | undefined {
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.byteLength, peekBytes)).toString('latin1')
  const match = messageHead.exec(text)
  if (match === null) return undefined
  const [, number, name = '', member] = match
  const kind = member === 'method' || member === 'params' ? 'call' : 'answer'
  return { kind, id: number === undefined ? Buffer.from(name, 'latin1').toString() : Number(number) }
}

const peekBytes = 384
