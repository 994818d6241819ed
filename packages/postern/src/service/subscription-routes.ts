/**
 * How the streams and events of a contract are subscribed to: two methods for all of them, in the shape that Ethereum
 * nodes use.
 *
 * ```
 * node.subscribe    [stream or event, params?, { credit }?]  -> id
 * node.unsubscribe  [id]                                     -> whether there was such a subscription
 * ```
 */

import type { CallContext, CallHandler, IncomingCall } from '../rpc/incoming-call.ts'
import { refusal } from '../rpc/incoming-call.ts'
import { type Contract, wireName } from './contract.ts'
import { compose } from './middleware.ts'
import { type Route, type RouterOptions, type ServedCall, withChecked } from './routes.ts'

/** What a subscribing call asks for. */
interface Wish {
  readonly key: unknown
  readonly params: unknown
  readonly credit: number | undefined
}

/** The answers to both methods; none where no stream and no event is offered. */
export function subscriptionRoutes(
  contract: Contract | undefined,
  routes: readonly Route[],
  options: RouterOptions,
): ReadonlyMap<string, CallHandler> {
  const sources = new Map(
    routes
      .filter(({ member }) => member?.kind === 'stream' || member?.kind === 'event')
      .map((route) => [route.key, route]),
  )
  if (contract === undefined || sources.size === 0) return new Map()
  const notification = wireName(contract, 'subscription')
  return new Map<string, CallHandler>([
    [
      wireName(contract, 'subscribe'),
      (call) => {
        // Nobody would be told the id.
        if (call.id === undefined) return undefined
        const wish = readWish(call.params)
        if (typeof wish.key !== 'string')
          throw refusal(
            'invalid_params',
            'invalid params: the first is the name of a stream or an event, as ["blocks"]',
          )
        const route = sources.get(wish.key)
        if (route === undefined) throw refusal('unknown_method', `no stream or event ${JSON.stringify(wish.key)}`)
        call.method = route.name
        return subscribe(route, { call, wish, notification, options })
      },
    ],
    [
      wireName(contract, 'unsubscribe'),
      ({ host, params }) => host.streams.stop(Array.isArray(params) ? params[0] : undefined),
    ],
  ])
}

interface Subscribing {
  readonly call: IncomingCall
  readonly wish: Wish
  readonly notification: string
  readonly options: RouterOptions
}

function subscribe(route: Route, subscribing: Subscribing): unknown {
  const { call, wish, options } = subscribing
  const last = (params: unknown, ctx: CallContext): unknown =>
    route.member?.kind === 'event' ? listen(route, subscribing) : run(route, { params, ctx }, subscribing)
  return options.use.length === 0 ? last(wish.params, call) : subscribeThrough(last, route, subscribing)
}

/** A subscription that the middleware does not answer with would run for nobody, so it is ended. */
async function subscribeThrough(
  last: (params: unknown, ctx: CallContext) => unknown,
  { member, name }: Route,
  { call, wish, options }: Subscribing,
): Promise<unknown> {
  let begun = false
  let over = false
  let id: unknown
  const composed = compose<ServedCall>(options.use, async ({ params, ctx }) => {
    if (begun) throw new TypeError(`the middleware called next twice for ${name}, which would subscribe twice`)
    begun = true
    id = await last(params, ctx)
    // The answer has gone: a time limit, say, did not wait for this.
    if (over) call.host.streams.stop(id)
    return id
  })
  try {
    const kind = member?.kind ?? 'method'
    const answer = await composed({ kind, method: name, params: wish.params, ctx: call })
    if (id === undefined || answer !== id)
      throw new TypeError(`the middleware must answer ${name} with what next(call) gives, or throw`)
    return answer
  } catch (error) {
    over = true
    call.afterAnswer = () => call.host.streams.stop(id)
    throw error
  }
}

function listen({ key }: Route, { call, options }: Subscribing): string {
  const { streams } = call.host
  refuseGivenUp(call)
  const id = streams.listen(key, (feed) => options.events.join(key, feed))
  call.afterAnswer = () => {
    // Who gave the call up does not know the id, so nobody would ever end it.
    if (call.aborted) streams.stop(id)
  }
  return id
}

/** Middleware, a schema or a handler may have taken their time. */
function refuseGivenUp({ aborted }: IncomingCall): void {
  if (aborted) throw refusal('cancelled', 'cancelled')
}

interface Given {
  readonly params: unknown
  readonly ctx: CallContext
}

function run(
  { handler, member, name }: Route,
  { params, ctx }: Given,
  { call, wish, notification }: Subscribing,
): unknown {
  const open = (items: unknown): string => {
    if (!isIterable(items))
      throw new TypeError(`the handler of ${name} must return an iterable, as async *${name}() does`)
    try {
      refuseGivenUp(call)
      return call.host.streams.open(call, { name, notification, items, credit: wish.credit })
    } catch (error) {
      call.afterAnswer = () => call.abort(error)
      release(items)
      throw error
    }
  }
  const schema = member?.kind === 'stream' ? member.params : undefined
  return withChecked(schema, params, (checked) => {
    const items = handler(checked, ctx)
    return items instanceof Promise ? items.then(open) : open(items)
  })
}

/** Params are one value; `null` stands for none where credit follows. */
function readWish(given: unknown): Wish {
  const [key, params, window] = Array.isArray(given) ? given : []
  const credit = typeof window === 'object' && window !== null ? (window as { credit?: unknown }).credit : undefined
  const whole = typeof credit === 'number' && Number.isSafeInteger(credit) && credit >= 0
  return {
    key,
    params: params === null && window !== undefined ? undefined : params,
    credit: whole ? credit : undefined,
  }
}

/** Lets go of what a handler may have opened for items that nobody will get. */
function release(items: AsyncIterable<unknown> | Iterable<unknown>): void {
  const close = async (): Promise<unknown> => {
    const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
    return iterator.return?.()
  }
  // It has failed already, of which its server is told.
  close().catch(() => undefined)
}

function isIterable(value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> {
  return typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value)
}
