/**
 * Connects to a service: one of ours by its contract, or any JSON-RPC server.
 */

import type { Integers } from '../codecs/codec.ts'
import { type Address, parseAddress } from '../core/address.ts'
import type { Channel } from '../core/channel.ts'
import { PosternError } from '../core/errors.ts'
import { type Limits, resolveLimits } from '../core/limits.ts'
import { type Tap, tapChannel } from '../core/tap.ts'
import { framedChannel } from '../framing/framed-channel.ts'
import { newline } from '../framing/newline.ts'
import { jsonRpc } from '../protocols/json-rpc.ts'
import type { CallHandler } from '../rpc/incoming-call.ts'
import { retry } from '../rpc/retry.ts'
import { Session } from '../rpc/session.ts'
import { type Contract, isContract, type Methods } from '../service/contract.ts'
import { type Handlers, router, routesOf } from '../service/router.ts'
import { Connection } from './connection.ts'
import { guarded, logError, type OnError } from './error-log.ts'
import { mechanismOf } from './mechanisms.ts'
import { checkOptions } from './options.ts'

/** How to connect. */
export interface ConnectOptions {
  /** Gives up connecting when it aborts. */
  readonly signal?: AbortSignal
  /** Limits that differ from the defaults. */
  readonly limits?: Partial<Limits>
  /** How whole numbers beyond 2^53 - 1 in answers are given. Default `bigint`, for these only. */
  readonly integers?: Integers
  /** Users, besides this one and root, whose server is believed. */
  readonly trust?: readonly number[]
  /** Handlers for a server that calls back, by the full names of their methods. */
  readonly handlers?: Handlers
  /** The other side is Postern: cancelled calls are cancelled there too. Default: whether a contract was given. */
  readonly postern?: boolean
  /** Told of exceptions of handlers, and of errors that name no call. Default: one line on stderr. */
  readonly onError?: OnError
  /** Sees every frame that passes. */
  readonly tap?: Tap
}

const optionNames = ['signal', 'limits', 'integers', 'trust', 'handlers', 'postern', 'onError', 'tap']

/**
 * Connects to a service by its contract: `connection.api` has a function for each method.
 *
 * Rejects with `no_listener`, `busy`, `permission_denied`, `peer_rejected`, `bad_address` or `deadline_exceeded`, after the
 * retries of `limits`.
 *
 * @example
 * ```ts
 * const connection = await connect('local:node', node)
 * const info = await connection.api.info()
 * ```
 */
export function connect<M extends Methods>(
  address: string,
  contract: Contract<M>,
  options?: ConnectOptions,
): Promise<Connection<M>>
/**
 * Connects to any JSON-RPC server.
 *
 * @example
 * ```ts
 * const geth = await connect('unix:~/.ethereum/geth.ipc')
 * const block = await geth.call('eth_blockNumber')
 * ```
 */
export function connect(address: string, options?: ConnectOptions): Promise<Connection>
export function connect(
  address: string,
  second?: Contract | ConnectOptions,
  third?: ConnectOptions,
): Promise<Connection> {
  if (isContract(second)) return open(address, second, third ?? {})
  return open(address, undefined, second === undefined ? {} : second)
}

async function open(text: string, contract: Contract | undefined, options: ConnectOptions): Promise<Connection> {
  checkOptions('connect', options, optionNames)
  checkIntegers(options.integers)
  const address = parseAddress(text)
  checkConversation(address)
  const limits = resolveLimits(options.limits)
  const handler = options.handlers === undefined ? undefined : router(routesOf(options.handlers), 'client')
  const channel = await retry(() => openChannel(address, limits, options), { limits, signal: options.signal })
  return new Connection(openSession(channel, address, { limits, handler, contract, options }), contract)
}

async function openChannel(address: Address, limits: Limits, { signal, trust = [] }: ConnectOptions): Promise<Channel> {
  const mechanism = await mechanismOf(address)
  const request = { limits, trust, ...(signal === undefined ? {} : { signal }) }
  if (mechanism.carries === 'frames') return await mechanism.connect(address.target, request)
  return framedChannel(await mechanism.connect(address.target, request), newline, { side: 'client', limits })
}

interface SessionParts {
  readonly limits: Limits
  readonly handler: CallHandler | undefined
  readonly contract: Contract | undefined
  readonly options: ConnectOptions
}

function openSession(
  channel: Channel,
  address: Address,
  { limits, handler, contract, options }: SessionParts,
): Session {
  const { tap } = options
  const session = new Session(tap === undefined ? channel : tapChannel(channel, tap), {
    side: 'client',
    address: address.text,
    protocol: jsonRpc,
    limits,
    integers: options.integers ?? 'bigint',
    postern: options.postern ?? contract !== undefined,
    onError: guarded(options.onError ?? logError),
    ...(handler === undefined ? {} : { handler }),
  })
  session.start()
  return session
}

function checkConversation({ parameters, text }: Address): void {
  const { codec = 'json', framing = 'newline' } = parameters
  if (codec !== 'json')
    throw new PosternError('not_supported', `${text}: codec=${codec} is not built yet; use codec=json`)
  if (framing !== 'newline')
    throw new PosternError('not_supported', `${text}: framing=${framing} is not built yet; use framing=newline`)
}

function checkIntegers(integers: unknown): void {
  if (integers !== undefined && integers !== 'bigint' && integers !== 'number' && integers !== 'error') {
    throw new TypeError(`integers is 'bigint', 'number' or 'error', not ${JSON.stringify(integers)}`)
  }
}
