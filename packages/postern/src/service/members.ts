/**
 * What a contract consists of: methods that are called, streams that are read and events that are listened to.
 */

import { errorCodes } from '../core/errors.ts'
import { checkOptions } from './options.ts'
import type { InputOf, OutputOf, StandardSchema } from './standard-schema.ts'

/** What is said of every member. */
interface MemberOptions {
  /** Who may use it: it exists only at addresses that list this level; without one it exists at every address. */
  readonly access?: string
  /** One line for people, in `rpc.discover`. */
  readonly summary?: string
}

/** The errors that a method declares: the schema of their details by code; `null` where an error has no details. */
export type ErrorSchemas = Readonly<Record<string, StandardSchema | null>>

type MaybeSchema = StandardSchema | undefined

/** No declared errors. */
// biome-ignore lint/complexity/noBannedTypes: no keys is what the type says
export type NoErrors = {}

/** What is said of one method. */
export interface MethodOptions<
  Params extends MaybeSchema = MaybeSchema,
  Returns extends MaybeSchema = MaybeSchema,
  Errors extends ErrorSchemas = ErrorSchemas,
> extends MemberOptions {
  /** Checks what the caller sends; the handler gets what comes out. Without it params are `unknown` and not checked. */
  readonly params?: Params
  /** Checks what the server answers, at the caller; without it the result is `unknown` and not checked. */
  readonly returns?: Returns
  /** Errors that are meant for the caller, by code; `ctx.fail()` makes them. */
  readonly errors?: Errors
  /** The value is the array of positional parameters itself, as `[to, amount]`. */
  readonly positional?: boolean
  /** Running it twice is as good as once, so a call whose outcome is unknown is repeated after a reconnect. */
  readonly idempotent?: boolean
}

/** A method of a contract. */
export interface MethodMember<
  Params extends MaybeSchema = MaybeSchema,
  Returns extends MaybeSchema = MaybeSchema,
  Errors extends ErrorSchemas = ErrorSchemas,
> extends MethodOptions<Params, Returns, Errors> {
  readonly kind: 'method'
}

/** What is said of one stream. */
export interface StreamOptions<Params extends MaybeSchema = MaybeSchema, Yields extends MaybeSchema = MaybeSchema>
  extends MemberOptions {
  /** Checks what the subscriber sends. */
  readonly params?: Params
  /** Checks each item, at the subscriber; without it items are `unknown` and not checked. */
  readonly yields?: Yields
}

/** A stream of a contract. */
export interface StreamMember<Params extends MaybeSchema = MaybeSchema, Yields extends MaybeSchema = MaybeSchema>
  extends StreamOptions<Params, Yields> {
  readonly kind: 'stream'
}

/** What is said of one event. */
export interface EventOptions<Payload extends MaybeSchema = MaybeSchema> extends MemberOptions {
  /** Checks what is emitted, at the listener; without it the payload is `unknown` and not checked. */
  readonly payload?: Payload
}

/** An event of a contract. */
export interface EventMember<Payload extends MaybeSchema = MaybeSchema> extends EventOptions<Payload> {
  readonly kind: 'event'
}

/** One member of a contract. */
export type Member = MethodMember | StreamMember | EventMember

/** The members of a contract by their short names. */
export type Members = Readonly<Record<string, Member>>

const methodOptions = ['access', 'summary', 'params', 'returns', 'errors', 'positional', 'idempotent']
const streamOptions = ['access', 'summary', 'params', 'yields']
const eventOptions = ['access', 'summary', 'payload']

// What these functions return is said with NoInfer: else the place where the member stands, of which is only known that
// it takes any member, would decide the types of what is left out.

/**
 * Describes a method.
 *
 * @example
 * ```ts
 * const transfer = method({
 *   params: z.object({ to: z.string(), amount: z.int() }),
 *   returns: z.string(),
 *   errors: { insufficient_funds: z.object({ missing: z.int() }) },
 * })
 * ```
 */
export function method<
  Params extends MaybeSchema = undefined,
  Returns extends MaybeSchema = undefined,
  Errors extends ErrorSchemas = NoErrors,
>(
  options: MethodOptions<Params, Returns, Errors> = {},
): MethodMember<NoInfer<Params>, NoInfer<Returns>, NoInfer<Errors>> {
  checkMember('method', options, methodOptions)
  for (const [code, schema] of Object.entries<StandardSchema | null>(options.errors ?? {})) {
    checkErrorCode(code)
    if (schema !== null) checkSchema(schema, `errors.${code}`)
  }
  return { ...options, kind: 'method' }
}

/**
 * Describes a stream: the server yields items until it has no more, or until the client stops or goes.
 *
 * @example
 * ```ts
 * const blocks = stream({ params: z.object({ from: z.int() }), yields: z.object({ number: z.int() }) })
 * ```
 */
export function stream<Params extends MaybeSchema = undefined, Yields extends MaybeSchema = undefined>(
  options: StreamOptions<Params, Yields> = {},
): StreamMember<NoInfer<Params>, NoInfer<Yields>> {
  checkMember('stream', options, streamOptions)
  return { ...options, kind: 'stream' }
}

/**
 * Describes an event: the server emits it to all who listen at that moment.
 *
 * @example
 * ```ts
 * const joined = event({ payload: z.object({ name: z.string() }) })
 * ```
 */
export function event<Payload extends MaybeSchema = undefined>(
  options: EventOptions<Payload> = {},
): EventMember<NoInfer<Payload>> {
  checkMember('event', options, eventOptions)
  return { ...options, kind: 'event' }
}

/** What a caller of the method, or a subscriber of the stream, sends. */
export type ParamsOf<M> =
  M extends MethodMember<infer Params, infer _, infer __>
    ? InputOf<Params>
    : M extends StreamMember<infer Params, infer _>
      ? InputOf<Params>
      : never

/** What a handler of the method or the stream is given. */
export type HandledParamsOf<M> =
  M extends MethodMember<infer Params, infer _, infer __>
    ? OutputOf<Params>
    : M extends StreamMember<infer Params, infer _>
      ? OutputOf<Params>
      : never

/** What a caller of the method gets. */
export type ResultOf<M> = M extends MethodMember<infer _, infer Returns, infer __> ? OutputOf<Returns> : never

/** What a handler of the method returns. */
export type HandledResultOf<M> = M extends MethodMember<infer _, infer Returns, infer __> ? InputOf<Returns> : never

/** The errors that the method declares. */
export type ErrorsOf<M> = M extends MethodMember<infer _, infer __, infer Errors> ? Errors : NoErrors

/** What a subscriber of the stream, or a listener of the event, gets. */
export type ItemOf<M> =
  M extends StreamMember<infer _, infer Yields>
    ? OutputOf<Yields>
    : M extends EventMember<infer Payload>
      ? OutputOf<Payload>
      : never

/** What a handler of the stream yields, or what is emitted as the event. */
export type SentItemOf<M> =
  M extends StreamMember<infer _, infer Yields>
    ? InputOf<Yields>
    : M extends EventMember<infer Payload>
      ? InputOf<Payload>
      : never

function checkMember(kind: Member['kind'], options: MemberOptions, allowed: readonly string[]): void {
  checkOptions(`${kind}()`, options, allowed)
  const { access } = options
  if (access !== undefined && (typeof access !== 'string' || access === ''))
    throw new TypeError(`access of a ${kind} is one level, as 'admin', not ${JSON.stringify(access)}`)
  for (const name of ['params', 'returns', 'yields', 'payload'] as const) {
    const schema = (options as Readonly<Record<string, unknown>>)[name]
    if (schema !== undefined) checkSchema(schema, name)
  }
}

function checkSchema(schema: unknown, what: string): void {
  const marker =
    typeof schema === 'object' || typeof schema === 'function'
      ? (schema as StandardSchema | null)?.['~standard']
      : undefined
  if (marker?.version !== 1)
    throw new TypeError(`${what} must be a Standard Schema, such as one of zod, valibot or arktype`)
}

function checkErrorCode(code: string): void {
  if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(code)) {
    throw new TypeError(`the code of a declared error is a word of letters, digits and _, not ${JSON.stringify(code)}`)
  }
  if (Object.hasOwn(errorCodes, code)) {
    throw new TypeError(`the code ${code} is one of Postern's own errors; choose another for what the method declares`)
  }
}
