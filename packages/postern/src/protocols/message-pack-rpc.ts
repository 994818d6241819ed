/**
 * MessagePack-RPC, whatever codec writes its arrays.
 *
 * ```
 * call    [0, id, method, params]        params is an array
 * answer  [1, id, error, result]         one of both is nil
 * note    [2, method, params]
 * error   [code, message] or [code, message, data]
 * ```
 *
 * Source: the MessagePack-RPC specification. It leaves open what an error is: ours has the numbers of JSON-RPC, and any
 * other is taken as it comes. It has no batches. An error that belongs to no call has nil for its id, which the
 * specification does not know; it is the last that is said.
 */

import type { BinaryCodec } from '../codecs/codec.ts'
import type { Blobs } from '../core/blobs.ts'
import type { Limits } from '../core/limits.ts'
import { wireError } from './json-rpc-codes.ts'
import { type Id, type Incoming, type InvalidMessage, type Message, readWireError, type WireError } from './message.ts'
import type { Protocol, ReadOptions } from './protocol.ts'

/** An id is an unsigned number of 32 bits. */
const maxId = 2 ** 32 - 1

const callType = 0
const answerType = 1
const noteType = 2
const resultPlace = 3

/** What bounds a frame beside its bytes, as far as it was not counted before. */
export interface ArrayBounds {
  readonly maxDepth?: number
  readonly maxContainers?: number
  readonly maxNames?: number
}

/** MessagePack-RPC over a codec. */
export function messagePackRpc(codec: BinaryCodec, bounds: ArrayBounds = {}, blobs?: Blobs): Protocol {
  const decode = (bytes: Uint8Array, { integers, raw }: ReadOptions): unknown => {
    // Where an answer has its result, a call has its params.
    const isAnswer = raw === true && codec.peekIntegers(bytes)[0] === answerType
    return codec.decode(bytes, { ...bounds, integers, blobs, ...(isAnswer ? { rawItem: resultPlace } : {}) })
  }
  return {
    name: `${codec.name}-rpc`,
    maxId,
    exactIntegers: true,
    withBlobs: (own) => messagePackRpc(codec, bounds, own),
    read: (frame, options) => readMessage(decode(frame.bytes, options), options.limits),
    readValue: (bytes, integers) => codec.decode(bytes, { ...bounds, integers, blobs }),
    write: (message) => written(message, (array) => codec.encode(array, blobs)),
    writeBatch: undefined,
    peek: (head) => {
      const [type, id] = codec.peekIntegers(head)
      if (id === undefined || (type !== callType && type !== answerType)) return undefined
      return { kind: type === callType ? 'call' : 'answer', id }
    },
  }
}

/** The error of a value that cannot be carried names its place in the value, not in the array around it. */
function written(message: Message, encode: (array: readonly unknown[]) => Uint8Array): Uint8Array {
  try {
    return encode(arrayOf(message))
  } catch (error) {
    const around = placeOf(message)
    if (!(error instanceof TypeError) || !error.message.startsWith(around)) throw error
    const rest = error.message.slice(around.length)
    throw new TypeError(rest.startsWith(' ') ? `the value${rest}` : rest.replace(/^\./, ''), { cause: error })
  }
}

/** Where the user's value stands in the array. */
function placeOf(message: Message): string {
  switch (message.kind) {
    case 'call':
      return Array.isArray(message.params) ? '[3]' : '[3][0]'
    case 'note':
      return Array.isArray(message.params) ? '[2]' : '[2][0]'
    case 'result':
      return '[3]'
    case 'error':
      return '[2][2]'
  }
}

function arrayOf(message: Message): readonly unknown[] {
  switch (message.kind) {
    case 'call':
      return [callType, message.id, message.method, paramsArray(message.params)]
    case 'result':
      return [answerType, message.id, null, message.value ?? null]
    case 'error':
      return [answerType, message.id, errorArray(message.error), null]
    case 'note':
      return [noteType, message.method, paramsArray(message.params)]
  }
}

/** By value, as with JSON-RPC, but that an object is the only element. */
function paramsArray(params: unknown): readonly unknown[] {
  if (params === undefined) return []
  return Array.isArray(params) ? params : [params]
}

function errorArray({ code, message, data }: WireError): readonly unknown[] {
  return data === undefined ? [code, message] : [code, message, data]
}

type MessageLimits = Pick<Limits, 'maxMethodBytes'>

function readMessage(value: unknown, limits: MessageLimits): Incoming {
  if (!Array.isArray(value)) return invalid(null, 'not an array')
  const items = value as readonly unknown[]
  switch (items[0]) {
    case callType:
      return readCall(items, limits)
    case answerType:
      return readAnswer(items)
    case noteType:
      return readNote(items, limits)
    default:
      return invalid(null, 'the first item must be 0 (call), 1 (answer) or 2 (note)')
  }
}

function readCall(items: readonly unknown[], limits: MessageLimits): Incoming {
  const [, id, method, params] = items
  if (!isId(id)) return invalid(null, `an id must be a whole number from 0 to ${maxId}`)
  const wrong = items.length === 4 ? wrongRequest(method, params, limits) : 'a call is [0, id, method, params]'
  if (wrong !== undefined) return invalid(id, wrong)
  return { kind: 'call', id, method: method as string, params }
}

function readNote(items: readonly unknown[], limits: MessageLimits): Incoming {
  const [, method, params] = items
  const wrong = items.length === 3 ? wrongRequest(method, params, limits) : 'a note is [2, method, params]'
  if (wrong !== undefined) return invalid(null, wrong)
  return { kind: 'note', method: method as string, params }
}

function wrongRequest(method: unknown, params: unknown, { maxMethodBytes }: MessageLimits): string | undefined {
  if (typeof method !== 'string') return 'the method must be a string'
  if (Buffer.byteLength(method) > maxMethodBytes) return `a method name over limits.maxMethodBytes (${maxMethodBytes})`
  return Array.isArray(params) ? undefined : 'params must be an array'
}

function readAnswer(items: readonly unknown[]): Incoming {
  const [, id, error, result] = items
  if (items.length !== 4 || !(isId(id) || id === null)) return invalid(null, 'an answer is [1, id, error, result]')
  if (error === null) return { kind: 'result', id, value: result }
  return { kind: 'error', id, error: readError(error) }
}

function readError(error: unknown): WireError {
  if (!Array.isArray(error)) return readWireError(error)
  const [code, message, data] = error as readonly unknown[]
  if (typeof code === 'number' && typeof message === 'string') return readWireError({ code, message, data })
  // Somebody's own list.
  return { code: 0, message: error.map(wordOf).join(' '), data: error }
}

function wordOf(item: unknown): string {
  return typeof item === 'string' || typeof item === 'number' ? String(item) : '…'
}

function isId(id: unknown): id is number {
  return typeof id === 'number' && Number.isInteger(id) && id >= 0 && id <= maxId
}

function invalid(id: Id, why: string): InvalidMessage {
  return { kind: 'invalid', answer: { kind: 'error', id, error: wireError('bad_message', `invalid request: ${why}`) } }
}
