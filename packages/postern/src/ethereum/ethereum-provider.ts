/** A node as an EIP-1193 provider, which ethers and web3.js take as it is, and viem by `ipcTransport`. */

import type { ConnectOptions } from '../app/connect.ts'
import { guarded, logError, type OnError } from '../app/error-log.ts'
import { checkOptions } from '../service/options.ts'
import { parseAddress } from '../core/address.ts'
import { PosternError } from '../core/errors.ts'
import { type Limits, resolveLimits } from '../core/limits.ts'
import type { Gap } from '../rpc/subscription.ts'
import { CallBatcher } from './call-batcher.ts'
import { sooner } from './giving-up.ts'
import { isIdempotentMethod } from './idempotent-methods.ts'
import { isNodeName } from './known-nodes.ts'
import { LazyConnection } from './lazy-connection.ts'
import { NodeSubscriptions, type SubscribeCall, type SubscriptionSink } from './node-subscriptions.ts'
import { ProviderRpcError, toProviderError } from './provider-error.ts'
import { EventListeners, type ProviderEvents, type ProviderListener } from './provider-events.ts'

/** How a provider connects and calls. */
export interface EthereumProviderOptions
  extends Pick<ConnectOptions, 'limits' | 'integers' | 'trust' | 'onError' | 'tap'> {
  /**
   * Sends the reads that are called in one turn of the event loop as one batch, of `maxCalls` at most, which are
   * `limits.maxBatchCalls` unless said otherwise. Default false.
   */
  readonly batch?: boolean | { readonly maxCalls: number }
  /**
   * Told of each hole in a subscription, in its place between the items: the node was away, and what came meanwhile is
   * missing. A hole that neither this nor a listener of `gap` is told goes to `onError`.
   */
  readonly onGap?: (gap: Gap) => void
}

/** The names of these options. */
export const providerOptionNames: readonly string[] = [
  'limits',
  'integers',
  'trust',
  'onError',
  'tap',
  'batch',
  'onGap',
]

/** A call, as EIP-1193 writes it. */
export interface RequestArguments {
  readonly method: string
  /** An array of positional parameters, or an object of named ones. */
  readonly params?: unknown
}

/** What a caller may say of one request. */
export interface RequestOptions {
  /** Gives up when it aborts. */
  readonly signal?: AbortSignal
  /** Idle time: without an answer, or a byte of one. Default `limits.callMs`. */
  readonly timeoutMs?: number
}

/** Who is told what comes of a subscription. */
export interface SubscriptionListener {
  readonly onItem: (result: unknown, subscription: string) => void
  /** Told of each hole in this subscription, before the provider's own `onGap`. */
  readonly onGap?: (gap: Gap) => void
  /** Told that it has ended, though nobody unsubscribed. Without it the listeners of `error` are told, or `onError`. */
  readonly onError?: (error: Error) => void
}

/** A subscription that stands. */
export interface ProviderSubscription {
  /** The same for as long as it stands, whatever restarts. */
  readonly id: string
  /** Resolves with false when it had ended before. */
  readonly unsubscribe: () => Promise<boolean>
}

/**
 * A provider for the node at an address, or for `geth`, `reth` or `anvil` where `findNode` finds it. It connects with
 * its first request, and an open connection keeps the process alive until `close`.
 *
 * Throws `TypeError` for options that there are not, and `bad_address`.
 *
 * @example
 * ```ts
 * import { BrowserProvider } from 'ethers'
 * import { ethereumProvider } from 'postern/ethereum'
 *
 * const provider = new BrowserProvider(ethereumProvider('geth'))
 * ```
 */
export function ethereumProvider(node: string, options: EthereumProviderOptions = {}): EthereumProvider {
  return new EthereumProvider(node, options)
}

/** What `ethereumProvider` makes. */
export class EthereumProvider {
  /** The address or the name that it was made with. */
  readonly node: string
  readonly #onGap: ((gap: Gap) => void) | undefined
  readonly #onError: OnError
  readonly #connection: LazyConnection
  readonly #batcher: CallBatcher | undefined
  readonly #subscriptions = new NodeSubscriptions()
  readonly #events: EventListeners

  constructor(node: string, options: EthereumProviderOptions) {
    checkOptions('ethereumProvider', options, providerOptionNames)
    if (!isNodeName(node)) parseAddress(node)
    const { batch = false, onGap, onError = logError, ...connect } = options
    const limits = resolveLimits(options.limits)
    const maxCalls = batchSize(batch, limits)
    this.node = node
    this.#onGap = onGap
    this.#onError = guarded(onError)
    this.#events = new EventListeners(this.#onError)
    const onReconnect = (): void => void this.#tellConnected()
    const onDisconnect = (reason: PosternError): void =>
      void this.#events.tell('disconnect', new ProviderRpcError(reason))
    const connectOptions = { ...connect, onError, onDisconnect, onReconnect }
    this.#connection = new LazyConnection({ node, limits, connect: connectOptions, onOpen: onReconnect })
    if (maxCalls > 1) this.#batcher = new CallBatcher(() => this.#connection.get(), maxCalls)
  }

  /** Whether there is a connection at this moment. */
  get connected(): boolean {
    return this.#connection.connected
  }

  /**
   * Calls a method. While the node is away it waits for about `limits.connectMs`. A read whose connection is lost is
   * made again on the next one, anything else that was sent is not. Rejects with `ProviderRpcError`.
   *
   * `eth_subscribe` resolves with a name that stays the same when the node restarts; its items are events `message`.
   *
   * @example
   * ```ts
   * import { ethereumProvider } from 'postern/ethereum'
   *
   * const provider = ethereumProvider('reth')
   * const block = await provider.request({ method: 'eth_getBlockByNumber', params: ['latest', false] })
   * ```
   */
  // An async function: by that web3.js tells that this is a provider of EIP-1193.
  async request({ method, params }: RequestArguments, options: RequestOptions = {}): Promise<unknown> {
    if (typeof method !== 'string') throw new TypeError('request takes one call, { method, params }')
    try {
      if (method.endsWith('_subscribe')) return await this.#subscribeToMessages(method, params, options)
      if (method.endsWith('_unsubscribe')) return await this.#subscriptions.close((params as unknown[])?.[0])
      return await this.#call(method, params, options)
    } catch (error) {
      throw toProviderError(error)
    }
  }

  /**
   * Subscribes by `eth_subscribe` with functions of its own, in place of events.
   *
   * @example
   * ```ts
   * import { ethereumProvider } from 'postern/ethereum'
   *
   * const provider = ethereumProvider('geth')
   * const heads = await provider.subscribe(['newHeads'], { onItem: (head) => console.log(head) })
   * await heads.unsubscribe()
   * ```
   */
  async subscribe(
    params: readonly unknown[],
    { onItem, onGap, onError }: SubscriptionListener,
    { signal }: Pick<RequestOptions, 'signal'> = {},
  ): Promise<ProviderSubscription> {
    const guard = (run: () => void): void => this.#events.guard('eth_subscribe', run)
    const id = await this.#subscribe(
      { method: 'eth_subscribe', params, signal },
      {
        item: (result, id) => guard(() => onItem(result, id)),
        gap: (gap) => {
          if (onGap !== undefined) guard(() => onGap(gap))
          this.#tellGap(gap, onGap !== undefined)
        },
        ended: (error) => this.#tellEnd(error, onError),
      },
    ).catch((error: unknown) => {
      throw toProviderError(error)
    })
    return { id, unsubscribe: () => this.#subscriptions.close(id) }
  }

  /**
   * Adds a listener.
   *
   * @example
   * ```ts
   * import { ethereumProvider } from 'postern/ethereum'
   *
   * const provider = ethereumProvider('geth')
   * provider.on('gap', ({ subscription }) => console.log(`${subscription} missed something`))
   * ```
   */
  on<E extends keyof ProviderEvents>(event: E, listener: ProviderListener<E>): this {
    this.#events.add(event, listener)
    return this
  }

  /** Takes a listener away. */
  removeListener<E extends keyof ProviderEvents>(event: E, listener: ProviderListener<E>): this {
    this.#events.remove(event, listener)
    return this
  }

  /** Ends the connection as `Connection.close` does, for good: every later request rejects. Idempotent. */
  async close(): Promise<void> {
    await this.#connection.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #call(method: string, params: unknown, options: RequestOptions): Promise<unknown> {
    const idempotent = isIdempotentMethod(method)
    const plain = options.signal === undefined && options.timeoutMs === undefined
    if (this.#batcher !== undefined && idempotent && plain) return await this.#batcher.call(method, params)
    const connection = await sooner(this.#connection.get(), method, options)
    return await connection.call(method, params, { ...options, idempotent })
  }

  async #subscribeToMessages(method: string, params: unknown, { signal }: RequestOptions): Promise<string> {
    const type = method.replace(/subscribe$/, 'subscription')
    return await this.#subscribe(
      { method, params, signal },
      {
        item: (result, subscription) => void this.#events.tell('message', { type, data: { subscription, result } }),
        gap: (gap) => this.#tellGap(gap, false),
        ended: (error) => this.#tellEnd(error, undefined),
      },
    )
  }

  async #subscribe(call: SubscribeCall, sink: SubscriptionSink): Promise<string> {
    const connection = await sooner(this.#connection.get(), call.method, { signal: call.signal })
    return await this.#subscriptions.open(connection, call, sink)
  }

  /** Nothing may be missing in silence. */
  #tellGap(gap: Gap, known: boolean): void {
    const onGap = this.#onGap
    if (onGap !== undefined) this.#events.guard('onGap', () => onGap(gap))
    if (this.#events.tell('gap', gap) || known || onGap !== undefined) return
    const sentence = `subscription ${gap.subscription} was interrupted and goes on: what came meanwhile is missing; give onGap to handle it (${gap.reason.sentence})`
    this.#onError(new PosternError('closed', sentence), this.node)
  }

  #tellEnd(reason: unknown, onError: ((error: Error) => void) | undefined): void {
    if (this.#connection.closed) return
    const error = toProviderError(reason ?? new PosternError('closed', 'the node has ended a subscription'))
    if (onError !== undefined) this.#events.guard('eth_subscribe', () => onError(error))
    else if (!this.#events.tell('error', error)) this.#onError(error, this.node)
  }

  async #tellConnected(): Promise<void> {
    if (!this.#events.has('connect')) return
    // Without an answer the connection is lost again already, and the next one tells.
    const chainId = await this.#call('eth_chainId', [], {}).catch(() => undefined)
    if (typeof chainId === 'string') this.#events.tell('connect', { chainId })
  }
}

function batchSize(batch: boolean | { readonly maxCalls: number }, { maxBatchCalls }: Limits): number {
  if (typeof batch === 'boolean') return batch ? maxBatchCalls : 1
  const { maxCalls } = batch
  if (Number.isInteger(maxCalls) && maxCalls >= 2 && maxCalls <= maxBatchCalls) return maxCalls
  throw new TypeError(
    `batch.maxCalls is a whole number from 2 to limits.maxBatchCalls (${maxBatchCalls}), not ${String(maxCalls)}`,
  )
}
