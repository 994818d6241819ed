/**
 * What a conversation consists of, whatever its protocol: calls, results, errors and notes.
 */

/** Names a call, so that its answer finds it. Ours are whole numbers; a peer may use any of these. */
export type Id = number | string | null

/** An error as it crosses the wire: the JSON-RPC code, a text for people, and data for programs. */
export interface WireError {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

/** Asks for an answer. */
export interface CallMessage {
  readonly kind: 'call'
  readonly id: Id
  readonly method: string
  readonly params: unknown
}

/** The answer of a call that succeeded. */
export interface ResultMessage {
  readonly kind: 'result'
  readonly id: Id
  readonly value: unknown
}

/** The answer of a call that failed; with `id: null` nobody knows which. */
export interface ErrorMessage {
  readonly kind: 'error'
  readonly id: Id
  readonly error: WireError
}

/** Tells something and wants no answer. */
export interface NoteMessage {
  readonly kind: 'note'
  readonly method: string
  readonly params: unknown
}

/** One of the four kinds of message. */
export type Message = CallMessage | ResultMessage | ErrorMessage | NoteMessage

/** Several messages in one frame. Those that are no messages stand in it as the error that answers them. */
export interface Batch {
  readonly kind: 'batch'
  readonly messages: readonly (Message | InvalidMessage)[]
}

/** A value that is no message, with the answer it deserves. */
export interface InvalidMessage {
  readonly kind: 'invalid'
  readonly answer: ErrorMessage
}

/** What one frame can hold. */
export type Incoming = Message | Batch | InvalidMessage

/** An error answer. */
export function errorAnswer(id: Id, error: WireError): ErrorMessage {
  return { kind: 'error', id, error }
}

/** Takes whatever a peer calls an error: what failed must fail, however badly it is told. */
export function readWireError(error: unknown): WireError {
  if (typeof error !== 'object' || error === null) return { code: 0, message: String(error) }
  const { code, message, data } = error as Readonly<Record<string, unknown>>
  const read = { code: typeof code === 'number' ? code : 0, message: typeof message === 'string' ? message : '' }
  return data === undefined ? read : { ...read, data }
}

/** The members of params that go by name: an object, as JSON-RPC has it, or the only element of an array, as MessagePack-RPC. */
export function namedParams(params: unknown): Readonly<Record<string, unknown>> {
  const named: unknown = Array.isArray(params) && params.length === 1 ? params[0] : params
  return typeof named === 'object' && named !== null ? (named as Readonly<Record<string, unknown>>) : {}
}
