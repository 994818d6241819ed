/**
 * Connects to a service: one of ours by its contract, or any JSON-RPC server.
 */

import type { Integers } from '../codecs/codec.ts'
import type { PosternError } from '../core/errors.ts'
import { type Limits, resolveLimits } from '../core/limits.ts'
import { type Tap, tapChannel } from '../core/tap.ts'
import type { CallHandler } from '../rpc/incoming-call.ts'
import { LastingSession } from '../rpc/lasting-session.ts'
import { retry } from '../rpc/retry.ts'
import { Session } from '../rpc/session.ts'
import { type Contract, isContract } from '../service/contract.ts'
import { type Emit, Events, emitOf } from '../service/events.ts'
import type { AnyHandlers, Handlers, HandlersOf } from '../service/handlers.ts'
import type { Members, NoErrors } from '../service/members.ts'
import { checkMiddleware, type Middleware } from '../service/middleware.ts'
import { checkOptions } from '../service/options.ts'
import { router } from '../service/router.ts'
import { type Service, serviceOf, serviceOfContract } from '../service/routes.ts'
import type { ClientTls } from '../transports/tls.ts'
import { type ClientCall, Connection } from './connection.ts'
import { type Destination, destinationOf } from './destination.ts'
import { guarded, logError, type OnError } from './error-log.ts'
import { ServedClient } from './served-client.ts'
import type { SpawnAddress } from './spawn.ts'
import { checkToken, showToken, type TokenOption } from './token.ts'

/** How to connect. `S`: what this side serves. */
export interface ConnectOptions<S extends Members = Members> {
  /** Gives up connecting when it aborts. */
  readonly signal?: AbortSignal
  /** Limits that differ from the defaults. */
  readonly limits?: Partial<Limits>
  /** How whole numbers beyond 2^53 - 1 in answers are given. Default `bigint`, for these only. */
  readonly integers?: Integers
  /** Users, besides this one and root, whose server is believed. */
  readonly trust?: readonly number[]
  /** The file that holds the token which the server requires; read anew for each connection. */
  readonly token?: TokenOption
  /** Whose certificate is believed, for `tcp:` addresses; `{}` takes the authorities that Node knows. Without it, no TLS. */
  readonly tls?: ClientTls
  /** Whether a `spawn:` address may start its program. Default false: an address may come from elsewhere. */
  readonly allowSpawn?: boolean
  /** A contract that this side serves, with its handlers, for a server that calls back. */
  readonly serve?: readonly [contract: Contract<S>, handlers: HandlersOf<S>]
  /** Handlers for a server that calls back, by the full names of their methods. */
  readonly handlers?: Handlers
  /** Functions around each call, the first outermost. */
  readonly use?: readonly Middleware<ClientCall>[]
  /** The other side is Postern: it is sent `rpc.*`. Default: whether a contract was given that is not `foreign`. */
  readonly postern?: boolean
  /** Whether a lost connection is made again, until it is closed. Default true; at `stdio:` it cannot be. */
  readonly reconnect?: boolean
  /** The connection was lost and is being made again. */
  readonly onDisconnect?: (reason: PosternError) => void
  /** The connection is back. */
  readonly onReconnect?: () => void
  /** Told of exceptions of handlers, and of errors that name no call. Default: one line on stderr. */
  readonly onError?: OnError
  /** Sees every frame that passes. */
  readonly tap?: Tap
}

const optionNames = [
  'signal',
  'limits',
  'integers',
  'trust',
  'token',
  'tls',
  'allowSpawn',
  'serve',
  'handlers',
  'use',
  'postern',
  'reconnect',
  'onDisconnect',
  'onReconnect',
  'onError',
  'tap',
]

/**
 * Connects to a service by its contract: `connection.api` has a function for each method and stream, `connection.on`
 * one for each event.
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
export function connect<M extends Members, S extends Members = NoErrors>(
  address: string | SpawnAddress,
  contract: Contract<M>,
  options?: ConnectOptions<S>,
): Promise<Connection<M, S>>
/**
 * Connects to any JSON-RPC server.
 *
 * @example
 * ```ts
 * const geth = await connect('unix:~/.ethereum/geth.ipc')
 * const block = await geth.call('eth_blockNumber')
 * ```
 */
export function connect<S extends Members = NoErrors>(
  address: string | SpawnAddress,
  options?: ConnectOptions<S>,
): Promise<Connection<NoErrors, S>>
export function connect(
  address: string | SpawnAddress,
  second?: Contract | ConnectOptions,
  third?: ConnectOptions,
): Promise<Connection<Members, Members>> {
  if (isContract(second)) return open(address, second, third ?? {})
  return open(address, undefined, second === undefined ? {} : second)
}

async function open(
  where: string | SpawnAddress,
  contract: Contract | undefined,
  options: ConnectOptions,
): Promise<Connection<Members, Members>> {
  checkOptions('connect', options, optionNames)
  checkIntegers(options.integers)
  if (options.token !== undefined) checkToken(options.token)
  const { use = [], reconnect = true, signal, onDisconnect, onReconnect } = options
  checkMiddleware(use)
  const destination = await destinationOf(where, options)
  const limits = resolveLimits(options.limits)
  const onError = guarded(options.onError ?? logError)
  const { handler, emit } = ownService(options, onError)
  const parts: SessionParts = { destination, limits, handler, contract, options, onError }
  const tries = destination.once ? { ...limits, retries: 0 } : limits
  const first = await retry(() => openSession(parts, signal), { limits: tries, signal })
  const session = new LastingSession(first, {
    address: destination.text,
    limits,
    reconnect: reconnect && !destination.once,
    open: (stopped) => openSession(parts, stopped),
    onDisconnect,
    onReconnect,
    onError,
  })
  return new Connection({ session, contract, use, onError, emit })
}

interface OwnService {
  readonly handler: CallHandler | undefined
  readonly emit: Emit<Members>
}

/** What this side serves: a contract, plain handlers, or nothing. */
function ownService({ serve, handlers }: ConnectOptions, onError: OnError): OwnService {
  if (serve !== undefined && handlers !== undefined)
    throw new TypeError('connect takes serve or handlers, not both: they would answer the same calls')
  let service: Service | undefined
  if (serve !== undefined) {
    if (!Array.isArray(serve) || serve.length !== 2 || !isContract(serve[0]))
      throw new TypeError('serve is a contract and its handlers: serve: [contract, handlers]')
    service = serviceOfContract(serve[0], serve[1] as AnyHandlers)
  } else if (handlers !== undefined) service = serviceOf(handlers, 'client')
  const withAccess = service?.routes.find(({ member }) => member?.access !== undefined)
  if (withAccess !== undefined)
    throw new TypeError(
      `${withAccess.name} asks for access, which addresses give; a client has none, and serves all of it`,
    )
  if (service === undefined) return { handler: undefined, emit: Object.freeze({}) }
  const events = new Events(onError)
  const emit = service.contract === undefined ? Object.freeze({}) : emitOf(service.contract, events)
  return { handler: router(service, { access: [], use: [], events }), emit }
}

interface SessionParts {
  readonly destination: Destination
  readonly limits: Limits
  readonly handler: CallHandler | undefined
  readonly contract: Contract | undefined
  readonly options: ConnectOptions
  readonly onError: OnError
}

/** A session that is ready for calls: where a token is required, it has been shown. */
async function openSession(parts: SessionParts, signal: AbortSignal | undefined): Promise<Session> {
  const { destination, limits, handler, contract, options, onError } = parts
  const { protocol, cancelMethod, probe } = destination.conversation
  const { tap, token } = options
  const channel = await destination.open({ limits, signal })
  const session = new Session(tap === undefined ? channel : tapChannel(channel, tap), {
    side: 'client',
    address: destination.text,
    protocol,
    cancelMethod,
    probe,
    limits,
    integers: options.integers ?? 'bigint',
    postern: options.postern ?? (token !== undefined || contract?.foreign === false),
    onError,
    clientOf: (served) => new ServedClient(served, undefined, onError),
    ...(handler === undefined ? {} : { handler }),
  })
  session.start()
  if (token !== undefined)
    await showToken(session, token, { address: destination.text, timeoutMs: limits.connectMs, signal })
  return session
}

function checkIntegers(integers: unknown): void {
  if (integers !== undefined && integers !== 'bigint' && integers !== 'number' && integers !== 'error') {
    throw new TypeError(`integers is 'bigint', 'number' or 'error', not ${JSON.stringify(integers)}`)
  }
}
