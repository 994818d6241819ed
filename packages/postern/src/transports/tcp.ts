/**
 * TCP: `tcp://127.0.0.1:7000`, `tcp://[::1]:7000`, `tcp://localhost:0`. Within this machine as it is; beyond it inside TLS
 * and in no other way.
 *
 * Nothing here says who is at the other end: every user of the machine can connect, and can listen at a port that is free.
 * Who may be served is for a token to tell, and who serves for a certificate.
 */

import { BlockList, createServer, isIP, type LookupFunction, type TcpNetConnectOpts } from 'node:net'
import type { Listener } from '../core/channel.ts'
import { PosternError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'
import type { Stream } from '../core/stream.ts'
import { fromSocketError } from '../os/socket-error.ts'
import { plainSockets, SocketServer, type SocketServerOptions } from './socket-server.ts'
import { connectSocketStream } from './socket-stream.ts'
import type { ClientTls, ServerTls } from './tls.ts'

/** After so long without a byte the system asks whether the other machine is still there. */
const keepAliveMs = 30_000

/** Small messages leave at once, and a machine that was unplugged is noticed. */
const tcpOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs } as const

/** How a client connects. */
export interface ConnectTcpOptions {
  readonly limits: Pick<Limits, 'connectMs'>
  readonly signal?: AbortSignal
  readonly tls?: ClientTls
}

/** How a server listens. */
export interface ListenTcpOptions extends SocketServerOptions {
  readonly limits: Pick<Limits, 'maxConnections' | 'handshakeMs'>
  readonly tls?: ServerTls
}

/**
 * Connects to `//host:port`. `not_supported` for another machine without TLS; `no_listener` when nobody listens there;
 * `peer_rejected` when its certificate is not believed. Looking up the name and TLS count towards `limits.connectMs`.
 */
export async function connectTcp(target: string, { limits, signal, tls }: ConnectTcpOptions): Promise<Stream> {
  const { address, host, port } = readTarget(target)
  if (port === 0) throw new PosternError('bad_address', `${address}: port 0 is for a server, which then tells its port`)
  if (tls === undefined) refusePlain(address, host)
  const to: TcpNetConnectOpts = {
    host,
    port,
    ...tcpOptions,
    autoSelectFamily: true,
    ...(host === localhost ? { lookup: lookUpLocalhost } : {}),
  }
  const options = { address, connectMs: limits.connectMs, signal }
  if (tls === undefined) return await connectSocketStream(to, options)
  const { connectTls } = await import('./tls.ts')
  return await connectTls(to, tls, options)
}

/**
 * Listens at `//host:port`; the published address has the port that it got. `not_supported` for a host beyond this
 * machine without TLS, `address_in_use` where somebody has the port.
 */
export async function listenTcp(target: string, options: ListenTcpOptions): Promise<Listener> {
  const { address, host, port } = readTarget(target)
  const { limits, tls } = options
  if (tls === undefined) refusePlain(address, host)
  const welcome = tls === undefined ? plainSockets.welcome : (await import('./tls.ts')).welcomeTls(tls, limits)
  const server = new SocketServer(options, {
    makeServer: (common) => createServer({ ...common, ...tcpOptions }),
    welcome,
  })
  try {
    await server.listen({ host: host === localhost ? '127.0.0.1' : host, port })
  } catch (error) {
    server.close()
    throw fromSocketError(error, 'listen at', address)
  }
  const published = address.replace(/\d+$/, String(server.port))
  server.open(published)
  const closeSync = (): void => server.close()
  return { address: published, closeSync, close: async () => closeSync() }
}

interface Target {
  /** What errors name. */
  readonly address: string
  readonly host: string
  readonly port: number
}

/** Takes `//host:port` apart, which `core/address.ts` has checked. */
function readTarget(target: string): Target {
  const colon = target.lastIndexOf(':')
  const host = target
    .slice(2, colon)
    .replace(/^\[|\]$/g, '')
    .toLowerCase()
  return { address: `tcp:${target}`, host, port: Number(target.slice(colon + 1)) }
}

const localhost = 'localhost'

/** This machine by both of its numbers, whatever a resolver says. */
const lookUpLocalhost: LookupFunction = (_host, _options, callback) => {
  const found = [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ]
  process.nextTick(callback, null, found)
}

function isThisMachine(host: string): boolean {
  const loopback = new BlockList()
  loopback.addSubnet('127.0.0.0', 8)
  loopback.addAddress('::1', 'ipv6')
  const version = isIP(host)
  return version === 0 ? host === localhost : loopback.check(host, version === 4 ? 'ipv4' : 'ipv6')
}

function refusePlain(address: string, host: string): void {
  if (isThisMachine(host)) return
  throw new PosternError(
    'not_supported',
    `${address} leads beyond this machine, where everybody on the way could read along: give the option tls, or use 127.0.0.1, [::1] or localhost`,
  )
}
