/**
 * The types of what a user writes to serve: one handler for each method and stream of a contract.
 */

import type { CallContext, Caller } from '../rpc/incoming-call.ts'
import type { Api, Listeners } from './client.ts'
import type {
  ErrorSchemas,
  ErrorsOf,
  EventMember,
  HandledParamsOf,
  HandledResultOf,
  Members,
  NoErrors,
  SentItemOf,
  StreamMember,
} from './members.ts'
import type { InputOf } from './standard-schema.ts'

/** Answers a call with a value or a promise of one. */
export type Handler<Params = unknown, Result = unknown, Context = CallContext> = (
  params: Params,
  ctx: Context,
) => Result | Promise<Result>

/** Handlers by the full names of their methods. */
export type Handlers = Readonly<Record<string, Handler<never>>>

/** Handlers of which no more is known than that they are functions. */
export type AnyHandlers = Readonly<Record<string, Handler<never, unknown, never>>>

/** The other side, for handlers that call back; typed where the contract that it serves is known. */
export type Client<C extends Members = NoErrors> = Caller & {
  /** The methods and streams of the contract that the client serves. */
  readonly api: Api<C>
  /** Its events. */
  readonly on: Listeners<C>
}

/**
 * Makes an error that is meant for the caller. Of a method that declares its errors it takes their codes, each with the
 * details of its schema.
 */
export type Fail<Errors extends ErrorSchemas> = string extends keyof Errors
  ? CallContext['fail']
  : keyof Errors extends never
    ? CallContext['fail']
    : <Code extends keyof Errors & string>(
        code: Code,
        ...rest: Errors[Code] extends null
          ? [details?: undefined, message?: string]
          : [details: InputOf<Errors[Code]>, message?: string]
      ) => Error

/** What a handler of a contract's member knows of a call beside its parameters. */
export type ContextOf<M, C extends Members = NoErrors> = Omit<CallContext, 'fail' | 'client'> & {
  readonly fail: Fail<ErrorsOf<M>>
  readonly client: Client<C>
}

/** A handler for each method and each stream of a contract; events have none. `C`: what the client serves. */
export type HandlersOf<M extends Members, C extends Members = NoErrors> = {
  readonly [K in keyof M as M[K] extends EventMember ? never : K]: M[K] extends StreamMember
    ? StreamHandler<HandledParamsOf<M[K]>, SentItemOf<M[K]>, ContextOf<M[K], C>>
    : Handler<HandledParamsOf<M[K]>, HandledResultOf<M[K]>, ContextOf<M[K], C>>
}

/** Yields the items of a stream. */
export type StreamHandler<Params, Item, Context> = (
  params: Params,
  ctx: Context,
) => AsyncIterable<Item> | Iterable<Item> | Promise<AsyncIterable<Item> | Iterable<Item>>
