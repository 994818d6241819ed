/** TLS around TCP, with Node's defaults made certain: 1.2 or newer, and no server whose certificate is not believed. */

import { isIP, type Socket, type TcpNetConnectOpts } from 'node:net'
import { connect, createServer, type Server } from 'node:tls'
import { PosternError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'
import type { Stream } from '../core/stream.ts'
import { fromSocketError } from '../os/socket-error.ts'
import type { SocketServerOptions, Welcome } from './socket-server.ts'
import { openSocket, SocketStream, type SocketStreamOptions } from './socket-stream.ts'

/** Who a server is. Both are PEM text, as `readFile` gives it: not the path of a file. */
export interface ServerTls {
  /** Its private key. */
  readonly key: string | Buffer
  /** Its certificate and, behind it, those between it and the one that clients know. */
  readonly cert: string | Buffer
}

/** Whom a client believes. */
export interface ClientTls {
  /** The certificates of who signs for servers, as PEM text. Default: the authorities that Node knows. */
  readonly ca?: string | Buffer
}

const minVersion = 'TLSv1.2'

/** Connects and shakes hands. `peer_rejected` when the certificate is not believed, or is for another host. */
export function connectTls(to: TcpNetConnectOpts, { ca }: ClientTls, options: SocketStreamOptions): Promise<Stream> {
  const { host = '', keepAlive, keepAliveInitialDelay, noDelay } = to
  const secure = {
    ...to,
    allowHalfOpen: true,
    minVersion,
    // Said, because the environment may say otherwise.
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca }),
    // The certificate is checked for names and numbers alike; only a name may be told to the server.
    ...(isIP(host) === 0 ? { servername: host } : {}),
  } as const
  return openSocket(() => {
    const socket = connect(secure).pause()
    // Of these options `tls.connect` takes no notice.
    socket.once('connect', () => socket.setNoDelay(noDelay).setKeepAlive(keepAlive, keepAliveInitialDelay))
    return { socket, ready: 'secureConnect', result: new SocketStream(socket, options.address) }
  }, options)
}

/** The first byte of whoever begins TLS. */
const helloByte = 0x16

/**
 * Lets in who comes to terms within `limits.handshakeMs`; who begins with anything but TLS is told so in plain text. Throws
 * `TypeError` when key and certificate are none or no pair.
 */
export function welcomeTls(tls: ServerTls, { handshakeMs }: Pick<Limits, 'handshakeMs'>): Welcome {
  const handshakes = handshakeServer(tls, handshakeMs)
  return (address, { onStream, onError }) => {
    handshakes.on('secureConnection', (socket) => {
      socket.allowHalfOpen = true
      onStream(new SocketStream(socket.ref(), address))
    })
    handshakes.on('tlsClientError', (error, socket) => {
      socket.destroy()
      const failure = fromSocketError(error, 'shake hands at', address)
      // Who has gone again is no news.
      if (failure.code !== 'closed') onError?.(failure)
    })
    return (socket) => {
      // Nobody who wants to end waits for a hand that is never shaken.
      socket.unref().on('error', ignore)
      // Who ends before it has come to terms has gone.
      socket.allowHalfOpen = false
      awaitFirstByte(socket, handshakeMs, (byte) => {
        if (byte === helloByte) handshakes.emit('connection', socket)
        else onError?.(turnAway(socket, address, byte))
      })
    }
  }
}

function ignore(): void {}

function handshakeServer({ key, cert }: ServerTls, handshakeMs: number): Server {
  try {
    return createServer({
      key,
      cert,
      minVersion,
      handshakeTimeout: handshakeMs,
      pauseOnConnect: true,
    })
  } catch (error) {
    throw new TypeError(`tls: key and cert are of no use together: ${(error as Error).message}`, { cause: error })
  }
}

/** Tells the first byte, which the socket still has; nothing, and drops the socket, when none comes in time. */
function awaitFirstByte(socket: Socket, handshakeMs: number, decide: (byte: number | undefined) => void): void {
  const timer = setTimeout(() => decide(undefined), handshakeMs)
  timer.unref()
  const stop = (): void => clearTimeout(timer)
  socket.once('close', stop)
  socket.once('data', (first: Buffer) => {
    stop()
    socket.off('close', stop).pause().unshift(first)
    decide(first[0])
  })
  socket.resume()
}

/** How long who was turned away has to read why. */
const refusalMs = 1_000

/** What is said to who did not begin with TLS: short, since clients of others may show an excerpt of it. */
const tlsOnly = '[unsupported_protocol] TLS only: give the option tls\n'

function turnAway(socket: Socket, address: string, byte: number | undefined): PosternError {
  if (byte === undefined) {
    socket.destroy()
    return new PosternError('deadline_exceeded', `somebody at ${address} said nothing within limits.handshakeMs`)
  }
  const timer = setTimeout(() => socket.destroy(), refusalMs)
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
  // What is left unread would take the answer back.
  socket.resume().end(tlsOnly)
  return new PosternError('unsupported_protocol', `somebody at ${address} did not begin with TLS, and was told to`)
}
