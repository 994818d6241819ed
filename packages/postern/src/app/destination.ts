/** Where a client connects to, and how a channel to it is made, each time there has to be a new one. */

import { type Address, parseAddress } from '../core/address.ts'
import type { Channel } from '../core/channel.ts'
import { PosternError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'
import { framedChannel } from '../framing/framed-channel.ts'
import type { ClientTls } from '../transports/tls.ts'
import { chooseConversation, clientConversation, type Conversation } from './conversation.ts'
import { type ConnectRequest, mechanismOf } from './mechanisms.ts'
import type { SpawnAddress } from './spawn.ts'
import { checkClientTls } from './tls.ts'

/** What may be connected to. */
export interface Destination {
  /** Names it in errors. */
  readonly text: string
  readonly conversation: Conversation
  /** Whether there is but one connection to it, so that a lost one cannot be made again. */
  readonly once: boolean
  /** Makes a connection. */
  readonly open: (request: OpenRequest) => Promise<Channel>
}

interface OpenRequest {
  readonly limits: Limits
  readonly signal: AbortSignal | undefined
}

/** What the user said beside the address. */
interface DestinationOptions {
  readonly allowSpawn?: boolean
  readonly trust?: readonly number[]
  readonly tls?: ClientTls
}

/**
 * Reads an address, or what stands in its place. Rejects with `bad_address`, with `not_supported` for an option that is
 * for other addresses, or with `TypeError` for what is neither.
 */
export async function destinationOf(where: string | SpawnAddress, options: DestinationOptions): Promise<Destination> {
  if (typeof where !== 'string') {
    const { checkSpawnAddress } = await import('./spawn.ts')
    return await programDestination(checkSpawnAddress(where), options)
  }
  const address = parseAddress(where)
  if (address.scheme === 'spawn') {
    const { spawnAddressOf } = await import('./spawn.ts')
    return await programDestination(spawnAddressOf(address, options.allowSpawn === true), options)
  }
  if (options.tls !== undefined) checkClientTls(options.tls, address)
  const conversation = await clientConversation(chooseConversation(address.parameters, address.text))
  return {
    text: address.text,
    conversation,
    once: address.scheme === 'stdio',
    open: (request) => openChannel(address, conversation, { ...options, ...request }),
  }
}

/** A program that is started for each connection, and not for ever where that leads to nothing. */
async function programDestination(
  address: SpawnAddress,
  { tls, trust = [] }: DestinationOptions,
): Promise<Destination> {
  const { Spawner, spawnAddressText } = await import('./spawn.ts')
  const text = spawnAddressText(address)
  if (tls !== undefined) checkClientTls(tls, { scheme: 'spawn', text })
  if (trust.length > 0)
    throw new PosternError(
      'not_supported',
      `trust is for servers that others start; this process starts ${text} itself, so leave it out`,
    )
  const conversation = await clientConversation(chooseConversation(address, text))
  const spawner = new Spawner(address)
  return {
    text,
    conversation,
    once: false,
    open: async (request) =>
      framedChannel(await spawner.connect(request), conversation.framing, { side: 'client', limits: request.limits }),
  }
}

async function openChannel(
  address: Address,
  { framing }: Conversation,
  { limits, trust = [], tls, signal }: DestinationOptions & OpenRequest,
): Promise<Channel> {
  const mechanism = await mechanismOf(address)
  const { spinUs } = address.parameters
  const request: ConnectRequest = {
    limits,
    trust,
    ...(spinUs === undefined ? {} : { spinUs }),
    ...(tls === undefined ? {} : { tls }),
    ...(signal === undefined ? {} : { signal }),
  }
  if (mechanism.carries === 'bytes')
    return framedChannel(await mechanism.connect(address.target, request), framing, { side: 'client', limits })
  if (address.parameters.codec !== undefined && address.parameters.codec !== 'json')
    throw new PosternError('not_supported', `${address.text}: ${address.scheme}: carries JSON alone so far`)
  return await mechanism.connect(address.target, request)
}
