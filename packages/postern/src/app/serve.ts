/**
 * Serves a contract, or plain handlers, at one or more addresses.
 */

import { type Address, parseAddress } from '../core/address.ts'
import type { Channel, Listener } from '../core/channel.ts'
import { PosternError } from '../core/errors.ts'
import { type Limits, resolveLimits } from '../core/limits.ts'
import type { Stream } from '../core/stream.ts'
import { type Tap, tapChannel } from '../core/tap.ts'
import { QueueBudget } from '../framing/queue-budget.ts'
import { jsonRpc } from '../protocols/json-rpc.ts'
import type { CallHandler } from '../rpc/incoming-call.ts'
import { Session } from '../rpc/session.ts'
import { type Contract, isContract, type Methods } from '../service/contract.ts'
import { type Handlers, type HandlersOf, router, routesOf, routesOfContract } from '../service/router.ts'
import { guarded, logError, type OnError } from './error-log.ts'
import { mechanismOf } from './mechanisms.ts'
import { checkOptions } from './options.ts'
import { closeAtExit } from './shutdown.ts'
import { sniff } from './sniff.ts'

/** How to serve. */
export interface ServeOptions {
  /** Where: one address or several, as `local:node`. */
  readonly at: string | readonly string[]
  /** Limits that differ from the defaults. */
  readonly limits?: Partial<Limits>
  /** Told of exceptions of handlers and of what goes wrong at the addresses. Default: one line on stderr. */
  readonly onError?: OnError
  /** Sees every frame that passes, of all connections. */
  readonly tap?: Tap
}

/** A service that takes connections until it is closed. */
export interface Server {
  /** Where it can be reached, as a client writes it. */
  readonly addresses: readonly string[]
  /** Connections that are open. */
  readonly connections: number
  /** Gives the names back, lets the calls that run finish within `limits.drainMs`, and ends all connections. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Serves a contract: each method by its handler.
 *
 * Rejects with `address_in_use` where a live server has the name, and as taking the name fails.
 *
 * @example
 * ```ts
 * const server = await serve(node, { info: () => ({ version: '1' }) }, { at: 'local:node' })
 * ```
 */
export function serve<M extends Methods>(
  contract: Contract<M>,
  handlers: HandlersOf<M>,
  options: ServeOptions,
): Promise<Server>
/**
 * Serves plain handlers under their full names, without checks.
 *
 * @example
 * ```ts
 * const server = await serve({ 'clock.now': () => Date.now() }, { at: 'local:clock' })
 * ```
 */
export function serve(handlers: Handlers, options: ServeOptions): Promise<Server>
export function serve(...args: [Contract, Handlers, ServeOptions] | [Handlers, ServeOptions]): Promise<Server> {
  if (args.length === 3) {
    const [contract, handlers, options] = args
    return open(router(routesOfContract(contract, handlers), contract.name), options)
  }
  const [handlers, options] = args
  if (isContract(handlers))
    throw new TypeError('serve takes a contract, its handlers and options: serve(contract, handlers, { at })')
  return open(router(routesOf(handlers), 'service'), options)
}

async function open(handler: CallHandler, options: ServeOptions): Promise<Server> {
  checkOptions('serve', options, ['at', 'limits', 'onError', 'tap'])
  const texts = typeof options.at === 'string' ? [options.at] : options.at
  if (!Array.isArray(texts) || texts.length === 0)
    throw new TypeError('serve needs at least one address in "at", as { at: "local:name" }')
  const server = new OpenServer(handler, resolveLimits(options.limits), options)
  try {
    for (const address of texts.map(parseAddress)) await server.listen(address)
  } catch (error) {
    await server.close()
    throw error
  }
  return server
}

class OpenServer implements Server {
  readonly #handler: CallHandler
  readonly #limits: Limits
  readonly #onError: OnError
  readonly #tap: Tap | undefined
  readonly #budget: QueueBudget
  readonly #listeners: Listener[] = []
  readonly #sessions = new Set<Session>()
  /** Connections that have not said a byte. */
  readonly #silent = new Set<Stream>()
  readonly #stayOpen: () => void
  #closing: Promise<void> | undefined

  constructor(handler: CallHandler, limits: Limits, { onError = logError, tap }: ServeOptions) {
    this.#handler = handler
    this.#limits = limits
    this.#onError = guarded(onError)
    this.#tap = tap
    this.#budget = new QueueBudget(limits.maxQueuedTotalBytes)
    this.#stayOpen = closeAtExit(this)
  }

  get addresses(): readonly string[] {
    return this.#listeners.map(({ address }) => address)
  }

  get connections(): number {
    return this.#sessions.size + this.#silent.size
  }

  async listen(address: Address): Promise<void> {
    const { codec = 'json', framing } = address.parameters
    if (codec !== 'json' || framing !== undefined) {
      throw new PosternError(
        'not_supported',
        `${address.text}: a server finds out codec and framing itself; leave the parameters out`,
      )
    }
    const mechanism = await mechanismOf(address)
    const request = { limits: this.#limits, onError: (error: PosternError) => this.#onError(error, address.text) }
    const listener =
      mechanism.carries === 'frames'
        ? await mechanism.listen(address.target, request, (channel) => this.#converse(channel, address))
        : await mechanism.listen(address.target, request, (stream) => this.#accept(stream, address))
    this.#listeners.push(listener)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  closeSync(): void {
    for (const listener of this.#listeners) listener.closeSync()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    // Names first: who connects from here on finds nobody. One that cannot be given back keeps nothing else open.
    const released = await Promise.allSettled(this.#listeners.map((listener) => listener.close()))
    for (const stream of this.#silent) stream.abort()
    await Promise.all([...this.#sessions].map((session) => session.close()))
    this.#stayOpen()
    for (const outcome of released) if (outcome.status === 'rejected') throw outcome.reason
  }

  /** A stream that has said nothing yet costs its slot and no more. */
  #accept(stream: Stream, address: Address): void {
    const { maxConnections } = this.#limits
    if (this.#closing !== undefined || this.#sessions.size + this.#silent.size >= maxConnections) {
      stream.abort()
      if (this.#closing === undefined) this.#onError(tooManyConnections(maxConnections), address.text)
      return
    }
    this.#silent.add(stream)
    const options = { side: 'server', limits: this.#limits, budget: this.#budget } as const
    sniff(stream, options, {
      onChannel: (channel) => {
        this.#silent.delete(stream)
        this.#converse(channel, address)
      },
      onRefused: (error) => {
        this.#silent.delete(stream)
        this.#onError(error, address.text)
      },
      onGone: () => this.#silent.delete(stream),
    })
  }

  #converse(channel: Channel, address: Address): void {
    const session = new Session(this.#tap === undefined ? channel : tapChannel(channel, this.#tap), {
      side: 'server',
      address: address.text,
      protocol: jsonRpc,
      limits: this.#limits,
      integers: 'bigint',
      handler: this.#handler,
      postern: false,
      onError: this.#onError,
    })
    this.#sessions.add(session)
    void session.closed.then((reason) => {
      this.#sessions.delete(session)
      // That a peer has gone is no news; that it was cut off is.
      if (reason !== undefined && reason.code !== 'closed') this.#onError(reason, address.text)
    })
    session.start()
    if (this.#closing !== undefined) void session.close()
  }
}

function tooManyConnections(maxConnections: number): PosternError {
  return new PosternError('busy', `a connection was refused: limits.maxConnections (${maxConnections}) are open`)
}
