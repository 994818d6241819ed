/**
 * The client as the handlers in a worker see it: what they ask of it goes to the main thread, which asks the client
 * itself and checks what comes back.
 */

import { PosternError } from '../core/errors.ts'
import { maxTimerMs } from '../core/deadline.ts'
import type { CallContext, CallHandler } from '../rpc/incoming-call.ts'
import { ItemBuffer } from '../rpc/item-buffer.ts'
import type { CallOptions } from '../rpc/pending-calls.ts'
import type { Session } from '../rpc/session.ts'
import type { ItemStream, Listening } from '../service/client.ts'
import type { Contract } from '../service/contract.ts'
import { Events } from '../service/events.ts'
import type { AnyHandlers, Handler } from '../service/handlers.ts'
import type { Member } from '../service/members.ts'
import { router } from '../service/router.ts'
import { serviceOfContract } from '../service/routes.ts'
import type { OnError } from './error-log.ts'
import { ServedClient } from './served-client.ts'
import { anyName, forwarded, passedOn } from './worker-link.ts'

/** In the worker: the client of one connection. */
export class WorkerClient extends ServedClient {
  readonly #link: Session

  constructor(link: Session, contract: Contract | undefined, onError: OnError) {
    super(link, contract, onError)
    this.#link = link
  }

  override call(method: string, params?: unknown, { raw, ...options }: CallOptions = {}): Promise<unknown> {
    return this.#link.call(`${anyName}${method}`, [params, raw === true], options)
  }

  override notify(method: string, params?: unknown): Promise<void> {
    return this.#link.notify(`${anyName}${method}`, [params])
  }
}

/** In the main thread: answers what a worker asks of a client. */
export function askClient(client: ServedClient, contract: Contract | undefined, maxItems: number): CallHandler {
  // Made when first needed: most handlers never call back.
  let typed: CallHandler | undefined
  return async (call) => {
    try {
      if (!call.method.startsWith(anyName)) {
        typed ??= typedAnswers(client, contract, maxItems)
        return await typed(call)
      }
      const method = call.method.slice(anyName.length)
      const [params, raw] = call.params as readonly unknown[]
      if (call.id === undefined) return await client.notify(method, params)
      return await client.call(method, params, { ...untimed(call), raw: raw === true })
    } catch (error) {
      throw passedOn(error)
    }
  }
}

/** What belongs to the contract of the client: its methods, its streams, and its events as streams of what is emitted. */
function typedAnswers(client: ServedClient, contract: Contract | undefined, maxItems: number): CallHandler {
  if (contract === undefined) return () => undefined
  const { bare } = contract
  if (bare !== undefined) {
    const paramsOf = (params: unknown): unknown => (bare.positional || !Array.isArray(params) ? params : params[0])
    return (call) => client.call(call.method, paramsOf(call.params), untimed(call))
  }
  const handlers = Object.entries(contract.members).map(([key, { kind }]) => [
    key,
    answer(client, { key, kind, maxItems }),
  ])
  const service = serviceOfContract(askable(contract), Object.fromEntries(handlers) as AnyHandlers)
  return router(service, { access: [], use: [], events: new Events(() => undefined) })
}

function askable({ members, ...rest }: Contract): Contract {
  const askables = Object.entries(members).map(([key, member]): [string, Member] => {
    if (member.kind !== 'method') return [key, { kind: 'stream' }]
    return [key, { kind: 'method', positional: member.positional === true }]
  })
  return { ...rest, members: Object.fromEntries(askables) }
}

interface Asked {
  readonly key: string
  readonly kind: Member['kind']
  readonly maxItems: number
}

function answer(client: ServedClient, { key, kind, maxItems }: Asked): Handler {
  switch (kind) {
    case 'method':
      return (params, call) => (functionsOf(client.api)[key] as MethodFunction)(params, untimed(call))
    case 'stream':
      return async (params, { signal }) => {
        const items = (functionsOf(client.api)[key] as StreamFunction)(params, { signal })
        await items.ready
        return forwarded(items, passedOn)
      }
    case 'event':
      return (_params, { signal }) => listen(functionsOf(client.on)[key] as ListenerFunction, signal, maxItems)
  }
}

type MethodFunction = (params: unknown, options: CallOptions) => Promise<unknown>
type StreamFunction = (params: unknown, options: { readonly signal: AbortSignal }) => ItemStream<unknown>
type ListenerFunction = (hear: (payload: unknown) => void, options: { readonly signal: AbortSignal }) => Listening

/** The functions of a contract that is only known at run time. */
function functionsOf(api: object): Readonly<Record<string, unknown>> {
  return api as Readonly<Record<string, unknown>>
}

async function listen(on: ListenerFunction, signal: AbortSignal, maxItems: number): Promise<AsyncIterable<unknown>> {
  const overflow = (): Error =>
    new PosternError('limit_exceeded', `more than limits.maxBufferedItems (${maxItems}) events wait for a busy worker`)
  const heard = new ItemBuffer({ maxItems, overflow })
  const listening = on((payload) => heard.push(payload), { signal })
  await listening.ready
  const stop = async (): Promise<IteratorResult<unknown, undefined>> => {
    listening.stop()
    heard.discard()
    return { done: true, value: undefined }
  }
  return forwarded({ next: () => heard.take(), return: stop }, passedOn)
}

/** The handler in the worker says how long it waits. */
function untimed({ signal }: CallContext): CallOptions {
  return { signal, timeoutMs: maxTimerMs }
}
