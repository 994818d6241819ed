/**
 * A contract says what can be called: the one thing that both sides share.
 */

import type { Member, Members, MethodMember, NoErrors } from './members.ts'
import { checkOptions } from './options.ts'
import type { StandardSchema } from './standard-schema.ts'

/** What can be called, under one name. */
export interface Contract<M extends Members = Members> {
  readonly name: string
  /** Stands between the contract's name and the member's on the wire. */
  readonly separator: string
  /** The other side is not Postern: it is sent no `rpc.*`. */
  readonly foreign: boolean
  /** Each member by its short name; empty in a bare contract, of which nothing is known at run time. */
  readonly members: M
  /** Made of a TypeScript interface alone; says whether its methods take positional arrays. */
  readonly bare?: { readonly positional: boolean }
}

/** How a contract differs from the usual. */
export interface ContractOptions {
  /** Default `.`, as in `node.info`; `_` gives `eth_info`. */
  readonly separator?: '.' | '_' | '/'
  /** It describes a server that is not Postern: it is sent no `rpc.*`, and its streams are taken for live feeds. */
  readonly foreign?: boolean
}

/** How a contract made of an interface differs from the usual. */
export interface BareContractOptions extends ContractOptions {
  /** Every method takes the array of its positional parameters as its one value. */
  readonly positional?: boolean
}

/**
 * The members of a contract that is only a TypeScript interface: its methods of no or one parameter. Others are none of
 * them, nor is what JavaScript calls on any object by itself, as `toString` and `then`.
 */
export type BareMembers<Api> = {
  readonly [K in keyof Api as BareKey<Api, K>]: BareMethod<Api[K]>
}

type BareKey<Api, K extends keyof Api> = Api[K] extends (...params: infer P) => unknown
  ? P['length'] extends 0 | 1
    ? Exclude<K, keyof typeof Object.prototype | 'then' | 'toJSON'>
    : never
  : never

type BareMethod<F> = F extends (...params: infer P) => infer Result
  ? MethodMember<StandardSchema<P['length'] extends 0 ? undefined : P[0]>, StandardSchema<Awaited<Result>>, NoErrors>
  : never

const conventionNames = ['separator', 'foreign']

const wordPattern = /^[A-Za-z][A-Za-z0-9_]*$/

/** What the wire names of streams and events are built with. */
const subscriptionWords: ReadonlySet<string> = new Set(['subscribe', 'unsubscribe', 'subscription'])

/**
 * Makes a contract of a name and its members.
 *
 * Throws `TypeError` for a name that is no identifier, `rpc` (which JSON-RPC reserves), a member called `then` (with it
 * the client would look like a promise), and beside streams or events for one called as their wire names are.
 *
 * @example
 * ```ts
 * export const node = contract('node', {
 *   info: method({ returns: z.object({ version: z.string() }) }),
 *   blocks: stream({ params: z.object({ from: z.int() }), yields: z.object({ number: z.int() }) }),
 *   joined: event({ payload: z.string() }),
 *   shutdown: method({ access: 'admin' }),
 * })
 * ```
 */
export function contract<const M extends Members>(name: string, members: M, options?: ContractOptions): Contract<M>
/**
 * Makes a contract of a TypeScript interface: types for its methods and no checks. It has no streams and no events,
 * since nothing tells them from methods at run time.
 *
 * @example
 * ```ts
 * interface ClockApi {
 *   now(): number
 *   format(params: { zone: string }): string
 * }
 * const clock = contract<ClockApi>('clock')
 * ```
 */
export function contract<Api extends object = Record<never, never>>(
  name: string,
  options?: BareContractOptions,
): Contract<BareMembers<Api>>
export function contract(name: string, second: Members | BareContractOptions = {}, third?: ContractOptions): Contract {
  if (typeof name !== 'string' || !wordPattern.test(name) || name === 'rpc') {
    throw new TypeError(
      `a contract's name is a word of letters, digits and _ other than "rpc", not ${JSON.stringify(name)}`,
    )
  }
  if (third === undefined && isBareOptions(second)) {
    checkOptions('a contract without members', second, [...conventionNames, 'positional'])
    return Object.freeze({
      ...conventions(second),
      name,
      members: {},
      bare: { positional: second.positional === true },
    })
  }
  checkOptions('a contract', third ?? {}, conventionNames)
  const members = Object.freeze({ ...(second as Members) })
  checkMembers(name, members)
  return Object.freeze({ ...conventions(third ?? {}), name, members })
}

/** A contract without a member has nothing to call, so what has no member is the options of a bare one. */
function isBareOptions(second: Members | BareContractOptions): second is BareContractOptions {
  return !Object.values(second).some((value) => typeof value === 'object')
}

function conventions({ separator = '.', foreign = false }: ContractOptions): { separator: string; foreign: boolean } {
  if (separator !== '.' && separator !== '_' && separator !== '/')
    throw new TypeError(`a contract's separator is ".", "_" or "/", not ${JSON.stringify(separator)}`)
  return { separator, foreign }
}

function checkMembers(contractName: string, members: Members): void {
  const subscribed = Object.values<Member | undefined>(members).some(
    (member) => isMember(member) && member.kind !== 'method',
  )
  for (const [key, member] of Object.entries<Member | undefined>(members)) {
    if (!wordPattern.test(key) || key === 'then') {
      throw new TypeError(
        `a member's name is a word of letters, digits and _ other than "then", not ${JSON.stringify(key)}`,
      )
    }
    if (!isMember(member)) throw new TypeError(`${contractName}.${key} must be made with method(), stream() or event()`)
    if (subscribed && subscriptionWords.has(key)) {
      throw new TypeError(`${contractName}.${key} is the wire name of streams and events; choose another name`)
    }
  }
}

function isMember(member: Member | undefined): member is Member {
  return member?.kind === 'method' || member?.kind === 'stream' || member?.kind === 'event'
}

/** Whether a value is a contract, by its shape: another copy of this package may have made it. */
export function isContract(value: unknown): value is Contract {
  if (typeof value !== 'object' || value === null) return false
  return 'members' in value && 'separator' in value && 'name' in value && typeof value.name === 'string'
}

/** The name of a contract's member on the wire. */
export function wireName({ name, separator }: Pick<Contract, 'name' | 'separator'>, key: string): string {
  return `${name}${separator}${key}`
}

/** Whether a name can be that of a member of a bare contract: none that JavaScript looks up on any object by itself. */
export function isBareName(key: string): boolean {
  return wordPattern.test(key) && key !== 'then' && key !== 'toJSON' && !(key in Object.prototype)
}
