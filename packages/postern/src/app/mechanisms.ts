/**
 * The table of mechanisms: which code stands behind a scheme, loaded when it is first used.
 */

import { type Address, type Scheme, schemeNames } from '../core/address.ts'
import type { Channel, Listener } from '../core/channel.ts'
import { PosternError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'
import type { Stream } from '../core/stream.ts'

/** What connecting may depend on. */
export interface ConnectRequest {
  readonly limits: Limits
  readonly signal?: AbortSignal
  readonly trust?: readonly number[]
}

/** What a listener reports while it listens. */
export interface ListenRequest {
  readonly limits: Limits
  /** Something went wrong that ends nothing: a connection was dropped, the name was lost. */
  readonly onError: (error: PosternError) => void
}

/** A mechanism that carries bytes: the conversation's framing is chosen above it. */
export interface StreamMechanism {
  readonly carries: 'bytes'
  connect(target: string, request: ConnectRequest): Promise<Stream>
  listen(target: string, request: ListenRequest, onStream: (stream: Stream) => void): Promise<Listener>
}

/** A mechanism that carries whole messages. */
export interface ChannelMechanism {
  readonly carries: 'frames'
  connect(target: string, request: ConnectRequest): Promise<Channel>
  listen(target: string, request: ListenRequest, onChannel: (channel: Channel) => void): Promise<Listener>
}

export type Mechanism = StreamMechanism | ChannelMechanism

const mechanisms: Partial<Record<Scheme, () => Promise<Mechanism>>> = {
  local: async () => {
    const { connectLocal, listenLocal } = await import('../transports/recommended.ts')
    return {
      carries: 'bytes',
      connect: connectLocal,
      listen: (name, request, onStream) => listenLocal(name, { ...socketEvents(request), onStream }),
    }
  },
  unix: async () => {
    const { connectUnixSocket, listenUnixSocket } = await import('../transports/unix-socket.ts')
    return {
      carries: 'bytes',
      connect: connectUnixSocket,
      listen: (path, request, onStream) => listenUnixSocket(path, { ...socketEvents(request), onStream }),
    }
  },
  memory: async () => {
    const { connectMemory, listenMemory } = await import('../transports/memory.ts')
    return {
      carries: 'frames',
      connect: async (name, request) => connectMemory(name, request),
      listen: async (name, { limits }, onChannel) => listenMemory(name, { limits, onChannel }),
    }
  },
}

function socketEvents({ limits, onError }: ListenRequest): {
  limits: Limits
  onError: (error: PosternError) => void
  onDrop: () => void
  onLost: (error: PosternError) => void
} {
  const onDrop = (): void => {
    onError(
      new PosternError('busy', `a connection was refused: limits.maxConnections (${limits.maxConnections}) are open`),
    )
  }
  return { limits, onError, onDrop, onLost: onError }
}

/** The mechanism behind an address. Rejects with `not_supported`, naming what is built. */
export async function mechanismOf(address: Address): Promise<Mechanism> {
  const load = mechanisms[address.scheme]
  if (load !== undefined) return await load()
  const built = schemeNames.filter((scheme) => mechanisms[scheme] !== undefined)
  throw new PosternError(
    'not_supported',
    `${address.scheme}: is not built yet; use one of ${built.map((scheme) => `${scheme}:`).join(', ')}`,
  )
}
