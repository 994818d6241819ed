/**
 * Finds the handler of a method, has the middleware see the call, checks its parameters and runs it.
 */

import { type CallContext, type CallHandler, refusal } from '../rpc/incoming-call.ts'
import type { Member, MethodMember } from './members.ts'
import { compose } from './middleware.ts'
import { type Route, type RouterOptions, type ServedCall, type Service, withChecked } from './routes.ts'
import { subscriptionRoutes } from './subscription-routes.ts'

/** Answers calls by their routes, and what every server answers: `rpc.discover`, `rpc.ping`, and `rpc.stop` for admins. */
export function router(service: Service, options: RouterOptions): CallHandler {
  const offered = service.routes.filter(({ member }) => isOffered(member, options.access))
  const answers = new Map<string, CallHandler>()
  for (const route of offered) {
    if (route.member === undefined || route.member.kind === 'method')
      answers.set(route.name, methodAnswer(route, options))
  }
  for (const [name, answer] of subscriptionRoutes(service.contract, offered, options)) answers.set(name, answer)
  const { stop } = options
  answers.set('rpc.ping', () => 'pong')
  answers.set('rpc.discover', async () => {
    const { describeService } = await import('./openrpc.ts')
    return describeService({ ...service, routes: offered })
  })
  if (stop !== undefined) {
    answers.set('rpc.stop', (call) => {
      call.afterAnswer = stop
      return null
    })
  }
  return (call) => {
    const answer = answers.get(call.method)
    if (answer !== undefined) return answer(call)
    // A note that nobody knows is dropped, as JSON-RPC asks.
    if (call.id === undefined) return undefined
    throw refusal('unknown_method', `no method ${JSON.stringify(call.method)}; rpc.discover lists what there is`)
  }
}

function isOffered(member: Member | undefined, access: readonly string[]): boolean {
  return member?.access === undefined || access.includes(member.access)
}

function methodAnswer({ handler, member, name }: Route, { use }: RouterOptions): CallHandler {
  const method = member?.kind === 'method' ? member : undefined
  const run = (params: unknown, call: CallContext): unknown =>
    withChecked(method?.params, params, (checked) => handler(checked, call))
  if (use.length === 0) return (call) => run(readParams(call.params, method), call)
  const composed = compose<ServedCall>(use, ({ params, ctx }) => run(params, ctx))
  return (call) => composed({ kind: 'method', method: name, params: readParams(call.params, method), ctx: call })
}

/** The one value that a handler takes, out of what came: an array of one is its element, unless the method is positional. */
function readParams(params: unknown, method: MethodMember | undefined): unknown {
  if (method?.positional === true) return params ?? []
  if (!Array.isArray(params)) return params
  if (params.length === 0) return undefined
  if (params.length === 1) return params[0]
  if (method === undefined) return params
  throw refusal('invalid_params', `invalid params: takes one value, not ${params.length} positional ones`)
}
