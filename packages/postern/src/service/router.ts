/**
 * Finds the handler of a method, checks its parameters and runs it.
 */

import { type CallContext, type CallHandler, type IncomingCall, refusal } from '../rpc/incoming-call.ts'
import {
  type Contract,
  type HandledParamsOf,
  type HandledResultOf,
  type Method,
  type Methods,
  wireName,
} from './contract.ts'
import { describeService } from './openrpc.ts'
import { checkValue, type Issue, issueText } from './standard-schema.ts'

/** Answers a call with a value or a promise of one. */
export type Handler<Params = unknown, Result = unknown> = (params: Params, ctx: CallContext) => Result | Promise<Result>

/** Handlers by the full names of their methods. */
export type Handlers = Readonly<Record<string, Handler<never>>>

/** A handler for each method of a contract. */
export type HandlersOf<M extends Methods> = {
  readonly [K in keyof M]: Handler<HandledParamsOf<M[K]>, HandledResultOf<M[K]>>
}

interface Route {
  readonly handler: Handler
  readonly method: Method | undefined
}

/** The routes of handlers that stand for themselves. */
export function routesOf(handlers: Handlers): Map<string, Route> {
  const routes = new Map<string, Route>()
  for (const [name, handler] of Object.entries(handlers)) {
    if (typeof handler !== 'function') throw new TypeError(`the handler of ${name} must be a function`)
    if (name === '' || name.startsWith('rpc.'))
      throw new TypeError(`a method cannot be named ${JSON.stringify(name)}: rpc.* is reserved`)
    routes.set(name, { handler: handler as Handler, method: undefined })
  }
  return routes
}

/** The routes of a contract. Throws `TypeError` when a handler is missing or belongs to no method. */
export function routesOfContract(contract: Contract, handlers: Handlers): Map<string, Route> {
  const routes = new Map<string, Route>()
  for (const [key, method] of Object.entries(contract.methods)) {
    const handler = Object.hasOwn(handlers, key) ? handlers[key] : undefined
    if (typeof handler !== 'function')
      throw new TypeError(`the contract ${contract.name} has a method ${key}, but no handler was given for it`)
    routes.set(wireName(contract, key), { handler: handler as Handler, method })
  }
  for (const key of Object.keys(handlers)) {
    if (!Object.hasOwn(contract.methods, key))
      throw new TypeError(`a handler was given for ${key}, which the contract ${contract.name} does not have`)
  }
  return routes
}

/** Answers calls by their routes, and `rpc.discover` by describing them. */
export function router(routes: ReadonlyMap<string, Route>, title: string): CallHandler {
  return (call) => {
    const route = routes.get(call.method)
    if (route !== undefined) return run(route, call)
    if (call.method === 'rpc.discover') {
      return describeService(title, new Map([...routes].map(([name, { method }]) => [name, method])))
    }
    // A note that nobody knows is dropped, as JSON-RPC asks.
    if (call.id === undefined) return undefined
    throw refusal('unknown_method', `no method ${JSON.stringify(call.method)}; rpc.discover lists what there is`)
  }
}

function run({ handler, method }: Route, call: IncomingCall): unknown {
  const params = readParams(call.params, method)
  if (method?.params === undefined) return handler(params, call)
  const checked = checkValue(method.params, params, invalidParams)
  if (checked instanceof Promise) return checked.then((value) => handler(value, call))
  return handler(checked, call)
}

/** The one value that a handler takes, out of what came: an array of one is its element, unless the method is positional. */
function readParams(params: unknown, method: Method | undefined): unknown {
  if (!Array.isArray(params) || method?.positional === true) return params
  if (params.length === 0) return undefined
  if (params.length === 1) return params[0]
  if (method === undefined) return params
  throw refusal('invalid_params', `invalid params: takes one value, not ${params.length} positional ones`)
}

function invalidParams(issues: readonly Issue[]): Error {
  return refusal('invalid_params', `invalid params: ${issueText(issues)}`, { issues })
}
