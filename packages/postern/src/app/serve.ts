/**
 * Serves a contract, or plain handlers, at one or more addresses.
 */

import { parseAddress } from '../core/address.ts'
import type { PosternError } from '../core/errors.ts'
import { type Limits, resolveLimits } from '../core/limits.ts'
import type { Tap } from '../core/tap.ts'
import { QueueBudget } from '../framing/queue-budget.ts'
import { type Contract, isContract } from '../service/contract.ts'
import { type Emit, Events, emitOf } from '../service/events.ts'
import type { AnyHandlers, Handlers, HandlersOf } from '../service/handlers.ts'
import type { Members, NoErrors } from '../service/members.ts'
import { checkMiddleware, type Middleware } from '../service/middleware.ts'
import { checkOptions } from '../service/options.ts'
import { router } from '../service/router.ts'
import { type ServedCall, type Service, serviceOf, serviceOfContract } from '../service/routes.ts'
import type { ServerTls } from '../transports/tls.ts'
import { type AllowOption, admissionTo, allowsOthers, checkAllow } from './allow.ts'
import { guarded, logError, type OnError } from './error-log.ts'
import { type ConversationName, conversationNames } from './first-bytes.ts'
import { ServedAddress } from './served-address.ts'
import { ServedClient } from './served-client.ts'
import { closeAtExit } from './shutdown.ts'
import { checkServerTls } from './tls.ts'
import { checkToken, checkTokenPlace, type TokenOption, tokenCheck } from './token.ts'
import type { WorkerService } from './worker-service.ts'

/** One address, and who may do what there. */
export interface PlaceOptions {
  readonly address: string
  /** The access levels of this address: members of the contract that ask for another one do not exist here. */
  readonly access?: readonly string[]
  /** A group, by name or number, whose members may connect: the socket is 0660, in a directory 0750 of that group. */
  readonly group?: string | number
  /**
   * Users who are let in besides this one and root, as the kernel tells who connects: the socket is 0666, or 0660 with
   * `group`. Needs `@postern/native`.
   */
  readonly allow?: AllowOption
  /** What may be spoken here: `json`, `content-length`, `msgpack`, `length-prefix`. Default: all of it, told by the first bytes. */
  readonly accepts?: readonly ConversationName[]
  /**
   * A file with the token that each connection has to show first; it is made where it is missing. `false` is for `tcp:`
   * addresses, which are refused without one of the two: whoever gets there may call.
   */
  readonly token?: TokenOption | false
  /** Key and certificate of the server, for `tcp:` addresses; beyond this machine they must be given. */
  readonly tls?: ServerTls
}

/** How to serve. `C`: what the clients serve. */
export interface ServeOptions<C extends Members = Members> {
  /** Where: one address or several, as `local:node`. */
  readonly at: string | PlaceOptions | readonly (string | PlaceOptions)[]
  /** The contract that clients serve: `ctx.client.api` calls them back. */
  readonly client?: Contract<C>
  /** Functions around each call, the first outermost. */
  readonly use?: readonly Middleware<ServedCall>[]
  /** Limits that differ from the defaults. */
  readonly limits?: Partial<Limits>
  /** Told of exceptions of handlers and of what goes wrong at the addresses. Default: one line on stderr. */
  readonly onError?: OnError
  /** Told when an address is not ours any more: its name was removed or replaced. Default: told to `onError`. */
  readonly onLost?: (address: string, reason: PosternError) => void
  /** Sees every frame that passes, of all connections. */
  readonly tap?: Tap
}

/** How to serve handlers in worker threads. */
export interface WorkerOptions {
  /** How many threads run the handlers: from 1 to 64. Default: one for each processor, at most 8. */
  readonly workers?: number
}

/** A service that takes connections until it is closed. */
export interface Server<M extends Members = NoErrors> {
  /** Where it can be reached, as a client writes it. */
  readonly addresses: readonly string[]
  /** Connections that are open. */
  readonly connections: number
  /**
   * The events of the contract: `server.emit.joined(peer)` sends one to all who listen. A listener that does not read is
   * cut off with `slow_consumer` when its queue is full.
   */
  readonly emit: Emit<M>
  /** Gives the names back, lets the calls that run finish within `limits.drainMs`, and ends all connections. Idempotent. */
  close(): Promise<void>
  /** Resolves when the server has been closed, by `close`, `rpc.stop` or a signal: the moment to close a database. */
  readonly closed: Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Serves a contract: each method and stream by its handler.
 *
 * Rejects with `address_in_use` where a live server has the name, and as taking the name fails.
 *
 * @example
 * ```ts
 * const server = await serve(node, { info: () => ({ version: '1' }) }, { at: 'local:node' })
 * ```
 */
export function serve<M extends Members, C extends Members = NoErrors>(
  contract: Contract<M>,
  handlers: HandlersOf<M, C>,
  options: ServeOptions<C>,
): Promise<Server<M>>
/**
 * Serves a contract with handlers in worker threads: the module exports them as `handlers`. What they are given and give
 * back crosses threads as `structuredClone` has it; checks and middleware stay in this thread.
 *
 * Rejects with `TypeError` when the module has not the handlers that the contract asks for.
 *
 * @example
 * ```ts
 * const server = await serve(node, new URL('./handlers.js', import.meta.url), { workers: 4, at: 'local:node' })
 * ```
 */
export function serve<M extends Members, C extends Members = NoErrors>(
  contract: Contract<M>,
  handlers: URL,
  options: ServeOptions<C> & WorkerOptions,
): Promise<Server<M>>
/**
 * Serves plain handlers under their full names, without checks.
 *
 * @example
 * ```ts
 * const server = await serve({ 'clock.now': () => Date.now() }, { at: 'local:clock' })
 * ```
 */
export function serve(handlers: Handlers, options: ServeOptions): Promise<Server>
export function serve(
  ...args: [Contract, AnyHandlers | URL, ServeOptions] | [Handlers, ServeOptions]
): Promise<Server<Members>> {
  if (args.length === 3) {
    const [contract, handlers, options] = args
    if (!isContract(contract))
      throw new TypeError('the contract is one made with contract(); handlers alone come first')
    if (handlers instanceof URL) return openInWorkers(contract, handlers, options)
    return open(serviceOfContract(contract, handlers), options)
  }
  const [handlers, options] = args
  if (isContract(handlers) || handlers instanceof URL)
    throw new TypeError('serve takes a contract, its handlers and options: serve(contract, handlers, { at })')
  return open(serviceOf(handlers, 'service'), options)
}

const optionNames = ['at', 'client', 'use', 'limits', 'onError', 'onLost', 'tap']

async function openInWorkers(
  contract: Contract,
  module: URL,
  { workers, ...options }: ServeOptions & WorkerOptions,
): Promise<Server<Members>> {
  checkServeOptions(options)
  const { serveInWorkers } = await import('./worker-service.ts')
  const { client, limits, onError = logError } = options
  const inWorkers = await serveInWorkers(contract, module, { workers, client, limits, onError: guarded(onError) })
  try {
    return await open(inWorkers.service, options, inWorkers)
  } catch (error) {
    await inWorkers.close()
    throw error
  }
}

async function open(service: Service, options: ServeOptions, workers?: WorkerService): Promise<Server<Members>> {
  checkServeOptions(options)
  const places = placesOf(options.at)
  checkLevels(places, service)
  const server = new OpenServer(service, options, workers)
  try {
    for (const place of places) await server.listen(place)
    server.closeWhenExhausted()
  } catch (error) {
    await server.close()
    throw error
  }
  return server
}

function checkServeOptions(options: ServeOptions): void {
  if (Object.hasOwn(options ?? {}, 'workers'))
    throw new TypeError(
      'workers need a module: serve(contract, new URL("./handlers.js", import.meta.url), { workers, at })',
    )
  checkOptions('serve', options, optionNames)
  checkMiddleware(options.use ?? [])
  if (options.client !== undefined && !isContract(options.client))
    throw new TypeError('client is the contract that the clients serve, made with contract()')
}

function placesOf(at: unknown): readonly PlaceOptions[] {
  const places: unknown[] = Array.isArray(at) ? at : at === undefined ? [] : [at]
  if (places.length === 0) throw new TypeError('serve needs at least one address in "at", as { at: "local:name" }')
  return places.map((place) => {
    if (typeof place === 'string') return { address: place }
    checkOptions('an address in "at"', place, ['address', 'access', 'accepts', 'allow', 'group', 'token', 'tls'])
    const { address, access = [], accepts, allow, group, token } = place as PlaceOptions
    if (typeof address !== 'string')
      throw new TypeError('an address in "at" is a string, or has one: { address, access }')
    if (!Array.isArray(access) || access.some((level) => typeof level !== 'string'))
      throw new TypeError(`access is a list of levels, as ["admin"], not ${JSON.stringify(access)}`)
    if (accepts !== undefined) checkAccepts(accepts)
    if (group !== undefined && typeof group !== 'string' && typeof group !== 'number')
      throw new TypeError(`group is the name or the number of a group, not ${JSON.stringify(group)}`)
    if (allow !== undefined) checkAllow(allow)
    if (token !== undefined && token !== false) checkToken(token)
    return place as PlaceOptions
  })
}

function checkAccepts(accepts: unknown): void {
  const isList = Array.isArray(accepts) && accepts.length > 0
  if (!isList || accepts.some((name) => !conversationNames.includes(name as ConversationName)))
    throw new TypeError(`accepts is a list of ${conversationNames.join(', ')}, not ${JSON.stringify(accepts)}`)
}

/** A level that nothing asks for is a slip of the pen, behind which members would be missing. `admin` is what rpc.stop asks for. */
function checkLevels(places: readonly PlaceOptions[], { routes }: Service): void {
  const known = new Set(['admin', ...routes.flatMap(({ member }) => member?.access ?? [])])
  for (const { address, access = [] } of places) {
    const unknown = access.find((level) => !known.has(level))
    if (unknown !== undefined)
      throw new TypeError(
        `access of ${address} lists ${JSON.stringify(unknown)}, which no member of the contract asks for; there are ${[...known].join(', ')}`,
      )
  }
}

class OpenServer implements Server<Members> {
  readonly emit: Emit<Members>
  readonly #service: Service
  readonly #workers: WorkerService | undefined
  readonly #options: ServeOptions
  readonly #limits: Limits
  readonly #onError: OnError
  readonly #budget: QueueBudget
  readonly #events: Events
  readonly #places: ServedAddress[] = []
  readonly closed: Promise<void>
  readonly #stayOpen: () => void
  #resolveClosed: () => void = () => undefined
  #closing: Promise<void> | undefined

  constructor(service: Service, options: ServeOptions, workers: WorkerService | undefined) {
    this.#service = service
    this.#workers = workers
    this.#options = options
    this.#limits = resolveLimits(options.limits)
    this.#onError = guarded(options.onError ?? logError)
    this.#events = new Events(this.#onError)
    this.#budget = new QueueBudget(this.#limits.maxQueuedTotalBytes)
    this.emit = service.contract === undefined ? Object.freeze({}) : emitOf(service.contract, this.#events)
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    this.#stayOpen = closeAtExit(this)
  }

  get addresses(): readonly string[] {
    return this.#places.map(({ published }) => published)
  }

  get connections(): number {
    return this.#places.reduce((sum, { connections }) => sum + connections, 0)
  }

  async listen({ address: text, access = [], accepts, allow, group, token, tls }: PlaceOptions): Promise<void> {
    const address = parseAddress(text)
    checkTokenPlace(address, token)
    if (tls !== undefined) checkServerTls(tls, address)
    const { client, tap, use = [] } = this.#options
    const stop = access.includes('admin')
      ? { stop: () => void this.close().catch((error: unknown) => this.#onError(error, 'rpc.stop')) }
      : {}
    const place = new ServedAddress({
      address,
      handler: router(this.#service, { access, use, events: this.#events, ...stop }),
      limits: this.#limits,
      budget: this.#budget,
      tap,
      accepts,
      authenticate: token === undefined || token === false ? undefined : await tokenCheck(token),
      group,
      admission: await admissionTo({ address, allow, group }),
      forOthers: allow !== undefined && allowsOthers(allow),
      tls,
      onError: this.#onError,
      onLost: (reason) => this.#lost(text, reason),
      postern: client?.foreign === false,
      clientOf: (session) => {
        const served = new ServedClient(session, client, this.#onError)
        this.#workers?.join(served, session)
        return served
      },
    })
    await place.listen()
    this.#places.push(place)
  }

  /** With nobody who could still come, as at `stdio:` alone, the end of the last conversation is the end of the server. */
  closeWhenExhausted(): void {
    const ends = this.#places.map(({ exhausted }) => exhausted)
    if (ends.includes(undefined)) return
    const close = async (): Promise<void> => {
      await Promise.all(ends)
      await this.close()
    }
    close().catch((error: unknown) => this.#onError(error, 'stdio:'))
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  closeSync(): void {
    for (const place of this.#places) place.releaseSync()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    // Names first. One that cannot be given back keeps nothing else open.
    const released = await Promise.allSettled(this.#places.map((place) => place.release()))
    await Promise.all(this.#places.map((place) => place.endAll()))
    await this.#workers?.close()
    this.#stayOpen()
    this.#resolveClosed()
    for (const outcome of released) if (outcome.status === 'rejected') throw outcome.reason
  }

  #lost(address: string, reason: PosternError): void {
    const { onLost } = this.#options
    try {
      if (onLost === undefined) this.#onError(reason, address)
      else onLost(address, reason)
    } catch (error) {
      this.#onError(error, 'onLost')
    }
  }
}
