/**
 * A contract as an object with one function a method: the typed face of a connection.
 */

import { PosternError } from '../core/errors.ts'
import type { CallOptions } from '../rpc/pending-calls.ts'
import type { Gap, SubscribeOptions, Subscription, SubscriptionRequest } from '../rpc/subscription.ts'
import { type Contract, isBareName, wireName } from './contract.ts'
import { asDeclared } from './declared-error.ts'
import type { EventMember, ItemOf, Members, MethodMember, ParamsOf, ResultOf, StreamMember } from './members.ts'
import { checkReceived, type Issue, issueText, type StandardSchema } from './standard-schema.ts'

/** What a typed call may say: everything but `raw`, which would not be what the contract promises. */
export type ApiCallOptions = Omit<CallOptions, 'raw' | 'idempotent'>

/** What a subscriber of a stream may say. */
export interface ApiStreamOptions<Params = unknown> {
  /** Ends the iteration with `cancelled` when it aborts. */
  readonly signal?: AbortSignal
  /**
   * Lets the stream begin again after a lost connection: with the params that it returns, or with the same ones. Called
   * when all items that had arrived were taken; again for the same gap when the next server dies before it answers.
   * Without it the iteration throws `closed`.
   */
  readonly onGap?: (gap: Gap) => Params | undefined
}

/** The items of a stream as they come. Leaving the loop ends the stream at the server. */
export interface ItemStream<Item> extends AsyncIterableIterator<Item, undefined> {
  /** Resolves when the server has taken the subscription; rejects when it refused. */
  readonly ready: Promise<string>
  [Symbol.asyncIterator](): ItemStream<Item>
  [Symbol.asyncDispose](): Promise<void>
}

/** A function with params that are needed, or may be left out. */
type WithParams<Params, Options, Result> = undefined extends Params
  ? (params?: Params, options?: Options) => Result
  : (params: Params, options?: Options) => Result

/** A method or a stream of a contract as a function. */
export type ApiFunction<M> = M extends StreamMember
  ? WithParams<ParamsOf<M>, ApiStreamOptions<ParamsOf<M>>, ItemStream<ItemOf<M>>>
  : M extends MethodMember
    ? WithParams<ParamsOf<M>, ApiCallOptions, Promise<ResultOf<M>>>
    : never

/** The methods and streams of a contract as functions. */
export type Api<M extends Members> = {
  readonly [K in keyof M as M[K] extends EventMember ? never : K]: ApiFunction<M[K]>
}

/** A listener that has been added. */
export interface Listening {
  /** Resolves when the server knows of it: what is emitted from then on arrives. Rejects when it refused. */
  readonly ready: Promise<string>
  /** Takes the listener away. */
  stop(): void
  [Symbol.dispose](): void
}

/**
 * The events of a contract as functions that add a listener. After a reconnect it listens again, and `onGap` is told.
 * What a listener throws, or rejects with, ends nothing: `onError` of the connection is told.
 */
export type Listeners<M extends Members> = {
  readonly [K in keyof M as M[K] extends EventMember ? K : never]: (
    listener: (payload: ItemOf<M[K]>) => unknown,
    options?: SubscribeOptions,
  ) => Listening
}

/** What the functions call. */
export interface ApiHost {
  call(method: string, params: unknown, options: CallOptions): Promise<unknown>
  open(request: SubscriptionRequest): Subscription
  /** Told of what a listener throws, and of holes that nobody asked to be told of. */
  readonly onError: (error: unknown, context: string) => void
}

/** Makes the functions. They stand on an object without a prototype, so that nothing else can be called on it. */
export function apiOf<M extends Members>(contract: Contract<M>, host: ApiHost): Api<M> {
  if (contract.bare !== undefined) return bareApi(contract, host) as Api<M>
  const api: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  for (const [key, member] of Object.entries(contract.members)) {
    if (member.kind === 'method') api[key] = methodFunction(wireName(contract, key), member, host)
    else if (member.kind === 'stream') api[key] = streamFunction(contract, { key, member }, host)
  }
  return Object.freeze(api) as Api<M>
}

/** Makes the functions that add listeners. */
export function listenersOf<M extends Members>(contract: Contract<M>, host: ApiHost): Listeners<M> {
  const listeners: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  for (const [key, member] of Object.entries(contract.members)) {
    if (member.kind === 'event') listeners[key] = listenerFunction(contract, { key, member }, host)
  }
  return Object.freeze(listeners) as Listeners<M>
}

/** Any name is a method; `then` is not, or awaiting the object would call it. */
function bareApi(contract: Contract, host: ApiHost): object {
  const member: MethodMember = { kind: 'method', positional: contract.bare?.positional === true }
  const functions = new Map<string, unknown>()
  return new Proxy(Object.freeze(Object.create(null) as object), {
    get(_target, key) {
      if (typeof key !== 'string' || !isBareName(key)) return undefined
      const known = functions.get(key) ?? methodFunction(wireName(contract, key), member, host)
      functions.set(key, known)
      return known
    },
  })
}

function methodFunction(name: string, member: MethodMember, host: ApiHost): unknown {
  const { errors, idempotent, returns } = member
  return async (params?: unknown, options: ApiCallOptions = {}): Promise<unknown> => {
    const sent = positionalParams(params, name, member)
    let result: unknown
    try {
      result = await host.call(name, sent, idempotent === true ? { ...options, idempotent } : options)
    } catch (error) {
      throw errors === undefined ? error : await asDeclared(error, errors, name)
    }
    return returns === undefined ? result : checkReceived(returns, result, (issues) => badResult(name, issues))
  }
}

interface Streamed {
  readonly key: string
  readonly member: StreamMember
}

function streamFunction(contract: Contract, { key, member }: Streamed, host: ApiHost): unknown {
  const { foreign } = contract
  const name = wireName(contract, key)
  return (params?: unknown, { signal, onGap }: ApiStreamOptions = {}): ItemStream<unknown> => {
    const again = (gap: Gap | undefined): unknown => (gap === undefined || foreign ? undefined : onGap?.(gap))
    const subscription = host.open({
      method: wireName(contract, 'subscribe'),
      params: (credit, gap) => subscribeParams(key, again(gap) ?? params, credit),
      credit: true,
      // The feed of a server that is not ours goes on; a stream of ours is a run of its handler, and begins again.
      restore: foreign ? 'at once' : onGap === undefined ? 'never' : 'when drained',
      onGap: foreign ? gapTeller(name, host, onGap) : undefined,
      signal,
    })
    return new CheckedStream(subscription, member.yields, name)
  }
}

interface Emitted {
  readonly key: string
  readonly member: EventMember
}

function listenerFunction(contract: Contract, { key, member }: Emitted, host: ApiHost): unknown {
  const name = wireName(contract, key)
  return (listener: (payload: unknown) => unknown, { signal, onGap }: SubscribeOptions = {}): Listening => {
    if (typeof listener !== 'function') throw new TypeError(`on.${key} takes a function`)
    const fail = (error: unknown): void => host.onError(error, name)
    const subscription = host.open({
      method: wireName(contract, 'subscribe'),
      params: () => [key],
      credit: false,
      restore: 'at once',
      deliver: (payload) => deliver(payload, { schema: member.payload, name, listener, fail }),
      onGap: gapTeller(name, host, onGap),
      signal,
    })
    // It ends only when it was refused, stopped, or the connection is over, of which `closed` tells.
    subscription.next().catch((error: PosternError) => {
      if (error.code !== 'closed' && error.code !== 'cancelled') fail(error)
    })
    const stop = (): void => void subscription.return()
    return { ready: subscription.ready, stop, [Symbol.dispose]: stop }
  }
}

/** Tells of holes: to who asked, else to `onError`, for nothing may be missing in silence. */
export function gapTeller(
  name: string,
  { onError }: Pick<ApiHost, 'onError'>,
  onGap: ((gap: Gap) => unknown) | undefined,
): (gap: Gap) => void {
  return (gap) => {
    if (onGap === undefined) onError(untoldGap(name, gap), name)
    else runListener(onGap, gap, (error) => onError(error, name))
  }
}

function untoldGap(name: string, { reason }: Gap): PosternError {
  const sentence = `${name} was interrupted and goes on: what came meanwhile is missing; give onGap to handle it (${reason.sentence})`
  return new PosternError('closed', sentence, { cause: reason })
}

/** Runs a function of the user, which may be async though nobody waits for it. */
function runListener<T>(listener: (value: T) => unknown, value: T, fail: (error: unknown) => void): void {
  try {
    const heard = listener(value)
    if (heard instanceof Promise) heard.catch(fail)
  } catch (error) {
    fail(error)
  }
}

function subscribeParams(key: string, params: unknown, credit: number | undefined): unknown[] {
  if (credit !== undefined) return [key, params ?? null, { credit }]
  return params === undefined ? [key] : [key, params]
}

interface Delivery {
  readonly schema: StandardSchema | undefined
  readonly name: string
  readonly listener: (payload: unknown) => unknown
  readonly fail: (error: unknown) => void
}

function deliver(payload: unknown, { schema, name, listener, fail }: Delivery): void {
  const hear = (came: unknown): unknown => {
    const checked = schema === undefined ? came : checkReceived(schema, came, (issues) => badItem(name, issues))
    return checked instanceof Promise ? checked.then(listener) : listener(checked)
  }
  runListener(hear, payload, fail)
}

class CheckedStream implements ItemStream<unknown> {
  readonly ready: Promise<string>
  readonly #subscription: Subscription
  readonly #schema: StandardSchema | undefined
  readonly #name: string

  constructor(subscription: Subscription, schema: StandardSchema | undefined, name: string) {
    this.ready = subscription.ready
    this.#subscription = subscription
    this.#schema = schema
    this.#name = name
  }

  async next(): Promise<IteratorResult<unknown, undefined>> {
    const item = await this.#subscription.next()
    if (item.done === true || this.#schema === undefined) return item
    try {
      const value = await checkReceived(this.#schema, item.value, (issues) => badItem(this.#name, issues))
      return { done: false, value }
    } catch (error) {
      await this.return()
      throw error
    }
  }

  return(): Promise<IteratorResult<unknown, undefined>> {
    return this.#subscription.return()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }
}

/** An array is a list of positional parameters on the wire; for a method that takes one value it would be taken apart. */
function positionalParams(params: unknown, name: string, method: MethodMember): unknown {
  if (Array.isArray(params) && method.positional !== true)
    throw new TypeError(`${name} takes one value: put the array in an object, or mark the method as positional`)
  if (method.positional === true && params !== undefined && !Array.isArray(params))
    throw new TypeError(`${name} takes an array of positional parameters`)
  return params
}

function badResult(name: string, issues: readonly Issue[]): PosternError {
  return notAsAgreed(`the answer of ${name}`, issues)
}

function badItem(name: string, issues: readonly Issue[]): PosternError {
  return notAsAgreed(`an item of ${name}`, issues)
}

function notAsAgreed(what: string, issues: readonly Issue[]): PosternError {
  return new PosternError('bad_message', `${what} is not what the contract says: ${issueText(issues)}`, {
    details: { issues },
  })
}
