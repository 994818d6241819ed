/**
 * What the main thread and a worker say to each other beside the calls: how a worker begins, when it is to end, and
 * what went wrong in it. The calls of each connection go over a port of their own, so that a handler calls back to the
 * client that called it.
 */

import { constants } from 'node:buffer'
import { inspect } from 'node:util'
import type { MessagePort } from 'node:worker_threads'
import { structured } from '../codecs/structured.ts'
import { isPosternError, errorCodes } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'
import type { Peer } from '../core/stream.ts'
import { declaredErrorNumber } from '../protocols/json-rpc-codes.ts'
import { messagePackRpc } from '../protocols/message-pack-rpc.ts'
import type { WireError } from '../protocols/message.ts'
import type { Protocol } from '../protocols/protocol.ts'
import { Refusal, refusal } from '../rpc/incoming-call.ts'
import type { Contract } from '../service/contract.ts'
import type { Member } from '../service/members.ts'
import type { StandardSchema } from '../service/standard-schema.ts'

/** What a worker begins with. */
export interface WorkerStart {
  /** The module that exports the handlers. */
  readonly module: string
  readonly contract: PlainContract
  /** What the clients serve. */
  readonly client: PlainContract | undefined
  readonly limits: Limits
}

/** What a worker is told. */
export type ToWorker =
  | { readonly kind: 'connect'; readonly port: MessagePort; readonly peer: Peer }
  /** There is nothing more to do: all connections have ended. */
  | { readonly kind: 'end' }

/** What a worker tells. */
export type FromWorker =
  /** The module is loaded, and these are its handlers. */
  | { readonly kind: 'ready'; readonly names: readonly string[] }
  | { readonly kind: 'failed'; readonly error: PlainError; readonly wrongUse: boolean }
  /** For `onError`. */
  | { readonly kind: 'error'; readonly error: PlainError; readonly context: string }

/** The one value of a call, or of a subscription, as it crosses: whatever it is, it arrives as it was. */
export interface Boxed {
  readonly value: unknown
}

/** How the calls are written. */
export const threadProtocol: Protocol = messagePackRpc(structured)

/** What crosses has passed the limits of its connection, or comes from the program itself. */
export const maxThreadFrameBytes: number = constants.MAX_LENGTH

/** The limits of a connection's port. A worker that computes gives no sign of life, and is not dead. */
export function threadLimits(limits: Limits): Limits {
  return { ...limits, heartbeatMs: 0, maxMethodBytes: limits.maxMethodBytes + anyName.length }
}

/** What the name of a method begins with that a handler calls at the client by `ctx.client.call`, and not by a contract. */
export const anyName = 'any '

/** What can be said of a contract in another thread: schemas hold functions, and stay. */
export interface PlainContract extends Omit<Contract, 'members'> {
  readonly members: Readonly<Record<string, PlainMember>>
}

interface PlainMember {
  readonly kind: Member['kind']
  readonly positional: boolean
  /** The codes of its errors. */
  readonly errors: readonly string[]
}

/** The contract that the clients serve. */
export function plainContract({ members, ...rest }: Contract): PlainContract {
  const plain = Object.entries(members).map(([key, member]): [string, PlainMember] => {
    const { positional = false, errors = {} } = member.kind === 'method' ? member : {}
    return [key, { kind: member.kind, positional, errors: Object.keys(errors) }]
  })
  return { ...rest, members: Object.fromEntries(plain) }
}

/** The contract that a worker serves. Every value crosses in a box of its own, so no method is positional. */
export function boxedContract({ members, bare, ...rest }: Contract): PlainContract {
  const boxed = Object.entries(members).map(([key, { kind }]): [string, PlainMember] => {
    return [key, { kind, positional: false, errors: [] }]
  })
  return { ...rest, ...(bare && { bare: { positional: false } }), members: Object.fromEntries(boxed) }
}

/** The contract again, without its checks: these are made in the main thread. */
export function uncheckedContract({ members, ...rest }: PlainContract): Contract {
  const unchecked = Object.entries(members).map(([key, { kind, positional, errors }]): [string, Member] => {
    if (kind !== 'method') return [key, { kind }]
    return [key, { kind, positional, errors: Object.fromEntries(errors.map((code) => [code, anything])) }]
  })
  return { ...rest, members: Object.fromEntries(unchecked) }
}

const anything: StandardSchema = {
  '~standard': { version: 1, vendor: 'postern', validate: (value) => ({ value }) },
}

/** What of an error crosses, whatever else it holds. */
export interface PlainError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
}

export function plainError(error: unknown): PlainError {
  if (!(error instanceof Error)) return { name: 'Error', message: `threw ${inspect(error)}`, stack: undefined }
  const { name, message, stack } = error
  return { name, message, stack }
}

export function errorFrom({ name, message, stack }: PlainError): Error {
  const error = new Error(message)
  error.name = name
  if (stack !== undefined) error.stack = stack
  return error
}

/** The error that tells one side of what the other has answered to this one: the same code and details. */
export function passedOn(error: unknown): unknown {
  if (!isPosternError(error)) return error
  const { code, details, cause, sentence } = error
  if (isWireError(details)) return new Refusal(details)
  if (Object.hasOwn(errorCodes, code)) return refusal(code, sentence)
  const message = isPosternError(cause) && isWireError(cause.details) ? cause.details.message : sentence
  return new Refusal({ code: declaredErrorNumber, message, data: { code, details } })
}

/** Whether the details of an error are the answer that it was made of. */
export function isWireError(details: unknown): details is WireError {
  if (typeof details !== 'object' || details === null) return false
  const { code, message } = details as Partial<WireError>
  return typeof code === 'number' && typeof message === 'string'
}

/** Items that go on to the other side, and the error that ends them as `tell` has it. */
export function forwarded(
  items: Pick<AsyncIterator<unknown, undefined>, 'next' | 'return'>,
  tell: (error: unknown) => unknown,
): AsyncIterable<unknown> {
  const next = async (): Promise<IteratorResult<unknown, undefined>> => {
    try {
      return await items.next()
    } catch (error) {
      throw tell(error)
    }
  }
  const end = async (): Promise<IteratorResult<unknown, undefined>> =>
    (await items.return?.()) ?? { done: true, value: undefined }
  return { [Symbol.asyncIterator]: () => ({ next, return: end }) }
}
