/**
 * What is served, as a list: each name with its handler and what the contract says of it.
 */

import { type CallContext, refusal } from '../rpc/incoming-call.ts'
import { type Contract, isBareName, wireName } from './contract.ts'
import type { Events } from './events.ts'
import type { AnyHandlers, Handler, Handlers } from './handlers.ts'
import type { Member, MethodMember } from './members.ts'
import type { Middleware } from './middleware.ts'
import { checkReceived, type Issue, issueText, type StandardSchema } from './standard-schema.ts'

/** What can be called under one name. */
export interface Route {
  /** The name in the contract. */
  readonly key: string
  /** The name on the wire. */
  readonly name: string
  /** Undefined for an event, and for a handler that stands for itself. */
  readonly member: Member | undefined
  readonly handler: Handler
}

/** What is served: a contract with its handlers, or handlers that stand for themselves. */
export interface Service {
  readonly title: string
  readonly contract: Contract | undefined
  readonly routes: readonly Route[]
}

/** A call on its way to its handler, as middleware sees it. */
export interface ServedCall {
  readonly kind: 'method' | 'stream' | 'event'
  /** The full name of what is called; of a stream or an event its own, not that of the subscribing method. */
  readonly method: string
  /** As they were sent; the contract's schema checks them after the middleware. */
  readonly params: unknown
  readonly ctx: CallContext
}

/** What one address offers. */
export interface RouterOptions {
  /** The access levels of the address; members that ask for another one do not exist there. */
  readonly access: readonly string[]
  readonly use: readonly Middleware<ServedCall>[]
  readonly events: Events
  /** Ends the server, where an admin may do that. */
  readonly stop?: () => void
}

/** The service of handlers that stand for themselves. */
export function serviceOf(handlers: Handlers, title: string): Service {
  checkHandlers(handlers)
  const routes = Object.entries(handlers).map(([name, handler]) => {
    if (typeof handler !== 'function') throw new TypeError(`the handler of ${name} must be a function`)
    if (name === '' || name.startsWith('rpc.'))
      throw new TypeError(`a method cannot be named ${JSON.stringify(name)}: rpc.* is reserved`)
    return { key: name, name, member: undefined, handler: handler as Handler }
  })
  return { title, contract: undefined, routes }
}

/** The service of a contract. Throws `TypeError` when a handler is missing or belongs to no member. */
export function serviceOfContract(contract: Contract, handlers: AnyHandlers): Service {
  checkHandlers(handlers)
  const routes = contract.bare === undefined ? checkedRoutes(contract, handlers) : bareRoutes(contract, handlers)
  return { title: contract.name, contract, routes }
}

function checkHandlers(handlers: unknown): void {
  if (typeof handlers !== 'object' || handlers === null || Array.isArray(handlers))
    throw new TypeError('handlers is an object of functions by the names of their methods')
}

function checkedRoutes(contract: Contract, handlers: AnyHandlers): Route[] {
  for (const key of Object.keys(handlers)) {
    const member = Object.hasOwn(contract.members, key) ? contract.members[key] : undefined
    if (member === undefined)
      throw new TypeError(`a handler was given for ${key}, which the contract ${contract.name} does not have`)
    if (member.kind === 'event')
      throw new TypeError(`${key} is an event: it has no handler, server.emit.${key}() sends it`)
  }
  return Object.entries(contract.members).map(([key, member]) => {
    const handler = Object.hasOwn(handlers, key) ? handlers[key] : undefined
    if (member.kind !== 'event' && typeof handler !== 'function')
      throw new TypeError(`the contract ${contract.name} has a ${member.kind} ${key}, but no handler was given for it`)
    return { key, name: wireName(contract, key), member, handler: (handler ?? noHandler) as Handler }
  })
}

function bareRoutes(contract: Contract, handlers: AnyHandlers): Route[] {
  const member: MethodMember | undefined =
    contract.bare?.positional === true ? { kind: 'method', positional: true } : undefined
  return Object.entries(handlers).map(([key, handler]) => {
    if (typeof handler !== 'function') throw new TypeError(`the handler of ${key} must be a function`)
    if (!isBareName(key)) throw new TypeError(`${JSON.stringify(key)} cannot be the name of a method`)
    return { key, name: wireName(contract, key), member, handler: handler as Handler }
  })
}

function noHandler(): void {}

/** Goes on with what the schema makes of a value, at once where the schema can. */
export function withChecked(
  schema: StandardSchema | undefined,
  value: unknown,
  next: (checked: unknown) => unknown,
): unknown {
  if (schema === undefined) return next(value)
  const checked = checkReceived(schema, value, invalidParams)
  return checked instanceof Promise ? checked.then(next) : next(checked)
}

function invalidParams(issues: readonly Issue[]): Error {
  return refusal('invalid_params', `invalid params: ${issueText(issues)}`, { issues })
}
