/**
 * A contract says what can be called: the one thing that both sides share.
 */

import type { InputOf, OutputOf, StandardSchema } from './standard-schema.ts'

/** What is said of one method. */
export interface MethodOptions<Params extends StandardSchema | undefined, Returns extends StandardSchema | undefined> {
  /** Checks what the caller sends; the handler gets what comes out. Without it params are `unknown` and not checked. */
  readonly params?: Params
  /** Checks what the server answers, at the caller; without it the result is `unknown` and not checked. */
  readonly returns?: Returns
  /** The value is the array of positional parameters itself, as `[to, amount]`. */
  readonly positional?: boolean
  /** One line for people, in `rpc.discover`. */
  readonly summary?: string
}

/** A method of a contract. */
export interface Method<
  Params extends StandardSchema | undefined = StandardSchema | undefined,
  Returns extends StandardSchema | undefined = StandardSchema | undefined,
> extends MethodOptions<Params, Returns> {
  readonly kind: 'method'
}

/**
 * Describes a method.
 *
 * @example
 * ```ts
 * const transfer = method({ params: z.object({ to: z.string(), amount: z.int() }), returns: z.string() })
 * ```
 */
export function method<
  Params extends StandardSchema | undefined = undefined,
  Returns extends StandardSchema | undefined = undefined,
>(options: MethodOptions<Params, Returns> = {}): Method<Params, Returns> {
  const { params, returns } = options
  if (params !== undefined) checkSchema(params, 'params')
  if (returns !== undefined) checkSchema(returns, 'returns')
  return { ...options, kind: 'method' }
}

/** The methods of a contract by their short names. */
export type Methods = Readonly<Record<string, Method>>

/** What can be called, under one name. */
export interface Contract<M extends Methods = Methods> {
  readonly name: string
  /** Stands between the contract's name and the method's on the wire. */
  readonly separator: string
  readonly methods: M
}

/** How a contract differs from the usual. */
export interface ContractOptions {
  /** Default `.`, as in `node.info`; `_` gives `eth_info`. */
  readonly separator?: '.' | '_' | '/'
}

const wordPattern = /^[A-Za-z][A-Za-z0-9_]*$/

/**
 * Makes a contract of a name and its methods.
 *
 * Throws `TypeError` for a name that is no identifier, `rpc` (which JSON-RPC reserves) and a method called `then`
 * (with it the client would look like a promise).
 *
 * @example
 * ```ts
 * export const node = contract('node', {
 *   info: method({ returns: z.object({ version: z.string() }) }),
 *   stop: method(),
 * })
 * ```
 */
export function contract<const M extends Methods>(
  name: string,
  methods: M,
  options: ContractOptions = {},
): Contract<M> {
  if (!wordPattern.test(name) || name === 'rpc') {
    throw new TypeError(
      `a contract's name is a word of letters, digits and _ other than "rpc", not ${JSON.stringify(name)}`,
    )
  }
  for (const [key, value] of Object.entries(methods)) {
    if (!wordPattern.test(key) || key === 'then') {
      throw new TypeError(
        `a method's name is a word of letters, digits and _ other than "then", not ${JSON.stringify(key)}`,
      )
    }
    if (value.kind !== 'method') throw new TypeError(`${name}.${key} must be made with method()`)
  }
  return Object.freeze({ name, separator: options.separator ?? '.', methods: Object.freeze({ ...methods }) })
}

/** Whether a value is a contract, by its shape: another copy of this package may have made it. */
export function isContract(value: unknown): value is Contract {
  if (typeof value !== 'object' || value === null) return false
  return 'methods' in value && 'separator' in value && 'name' in value && typeof value.name === 'string'
}

/** The name of a contract's method on the wire. */
export function wireName({ name, separator }: Contract, key: string): string {
  return `${name}${separator}${key}`
}

/** What a caller of the method sends. */
export type ParamsOf<M> = M extends Method<infer Params, infer _> ? InputOf<Params> : never

/** What a caller of the method gets. */
export type ResultOf<M> = M extends Method<infer _, infer Returns> ? OutputOf<Returns> : never

/** What a handler of the method is given. */
export type HandledParamsOf<M> = M extends Method<infer Params, infer _> ? OutputOf<Params> : never

/** What a handler of the method returns. */
export type HandledResultOf<M> =
  M extends Method<infer _, infer Returns> ? (Returns extends StandardSchema ? InputOf<Returns> : unknown) : never

function checkSchema(schema: unknown, what: string): void {
  const marker =
    typeof schema === 'object' || typeof schema === 'function'
      ? (schema as StandardSchema | null)?.['~standard']
      : undefined
  if (marker?.version !== 1)
    throw new TypeError(`${what} must be a Standard Schema, such as one of zod, valibot or arktype`)
}
