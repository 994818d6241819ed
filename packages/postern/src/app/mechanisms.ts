/**
 * The table of mechanisms: which code stands behind a scheme, loaded when it is first used.
 */

import { type Address, type Scheme, schemeNames } from '../core/address.ts'
import type { Channel, Listener } from '../core/channel.ts'
import { PosternError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'
import type { Stream } from '../core/stream.ts'
import type { ClientTls, ServerTls } from '../transports/tls.ts'

/** What connecting may depend on. */
export interface ConnectRequest {
  readonly limits: Limits
  readonly signal?: AbortSignal
  readonly trust?: readonly number[]
  readonly tls?: ClientTls
  /** How long to spin before sleeping, in microseconds. */
  readonly spinUs?: number
}

/** What a listener reports while it listens. */
export interface ListenRequest {
  readonly limits: Limits
  /** Something went wrong that ends nothing, as a connection that was dropped. */
  readonly onError: (error: PosternError) => void
  /** The name was removed or given to something else. */
  readonly onLost: (error: PosternError) => void
  /** The group whose members may connect, beside this user. */
  readonly group?: string | number
  /** Who may use the address is told by who connects, so that the file lets others connect; all of the group, if there is one. */
  readonly forOthers?: boolean
  readonly tls?: ServerTls
  /** How long to spin before sleeping, in microseconds. */
  readonly spinUs?: number
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
      listen: (name, request, onStream) => {
        refuseGroup(request, `local:${name} is in the private directory of this user`)
        return listenLocal(name, { ...socketEvents(request), onStream })
      },
    }
  },
  unix: async () => {
    const { connectUnixSocket, listenUnixSocket } = await import('../transports/unix-socket.ts')
    return {
      carries: 'bytes',
      connect: connectUnixSocket,
      listen: async (path, request, onStream) =>
        await listenUnixSocket(path, { ...socketEvents(request), ...(await accessOptions(path, request)), onStream }),
    }
  },
  systemd: async () => {
    const { connectSystemd, listenSystemd } = await import('../transports/systemd-socket.ts')
    return {
      carries: 'bytes',
      connect: connectSystemd,
      listen: (name, request, onStream) => {
        refuseGroup(request, 'the socket is made by systemd, whose SocketGroup= and SocketMode= say who may connect')
        return listenSystemd(name, { ...socketEvents(request), onStream })
      },
    }
  },
  stdio: async () => {
    const { connectStdio, listenStdio } = await import('../transports/stdio.ts')
    return {
      carries: 'bytes',
      connect: connectStdio,
      listen: (_, request, onStream) => {
        refuseGroup(request, 'stdio: is one connection, with who started this process')
        return listenStdio(onStream)
      },
    }
  },
  tcp: async () => {
    const { connectTcp, listenTcp } = await import('../transports/tcp.ts')
    return {
      carries: 'bytes',
      connect: connectTcp,
      listen: (target, request, onStream) => {
        refuseGroup(request, `tcp:${target} has no file that could be the group's`)
        const { tls } = request
        return listenTcp(target, { ...socketEvents(request), ...(tls === undefined ? {} : { tls }), onStream })
      },
    }
  },
  pipe: async () => {
    const { connectPipe, listenPipe } = await import('../transports/named-pipe.ts')
    return {
      carries: 'bytes',
      connect: connectPipe,
      listen: (name, request, onStream) => {
        refuseGroup(request, `pipe:${name} is a pipe of this user`)
        return listenPipe(name, { ...socketEvents(request), onStream })
      },
    }
  },
  shm: async () => {
    const { connectSharedMemory, listenSharedMemory } = await import('../transports/shared-memory.ts')
    return {
      carries: 'bytes',
      connect: connectSharedMemory,
      listen: async (path, request, onStream) =>
        await listenSharedMemory(path, {
          ...socketEvents(request),
          ...(await accessOptions(path, request)),
          ...(request.spinUs === undefined ? {} : { spinUs: request.spinUs }),
          onStream,
        }),
    }
  },
  memory: async () => {
    const { connectMemory, listenMemory } = await import('../transports/memory.ts')
    return {
      carries: 'frames',
      connect: async (name, request) => connectMemory(name, request),
      listen: async (name, request, onChannel) => {
        refuseGroup(request, `memory:${name} is inside this process`)
        return listenMemory(name, { limits: request.limits, onChannel })
      },
    }
  },
}

/** Who may connect, where that is not this user alone. */
async function accessOptions(
  path: string,
  { group, forOthers = false }: ListenRequest,
): Promise<{ mode?: number; gid?: number }> {
  if (group === undefined) {
    if (!forOthers) return {}
    const { openSocketOptions } = await import('../os/reachable-directory.ts')
    return await openSocketOptions(path)
  }
  const { groupSocketOptions } = await import('../os/group-directory.ts')
  return await groupSocketOptions(path, group)
}

function refuseGroup({ group }: ListenRequest, why: string): void {
  if (group === undefined) return
  throw new PosternError('not_supported', `group works with unix: addresses alone: ${why}`)
}

function socketEvents({ limits, onError, onLost }: ListenRequest): {
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
  return { limits, onError, onDrop, onLost }
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
