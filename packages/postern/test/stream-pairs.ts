import { onTestFinished } from 'vitest'
import type { Listener } from '../src/core/channel.ts'
import { resolveLimits } from '../src/core/limits.ts'
import type { Stream } from '../src/core/stream.ts'
import type { StreamHarness, StreamPair } from '../src/testing/stream-contract.ts'
import { connectPipe, listenPipe } from '../src/transports/named-pipe.ts'
import { connectSharedMemory, listenSharedMemory } from '../src/transports/shared-memory.ts'
import { connectTcp, listenTcp } from '../src/transports/tcp.ts'
import { connectUnixSocket, listenUnixSocket } from '../src/transports/unix-socket.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { clientTls, serverTls } from './tls-certificates.ts'

const limits = resolveLimits()

/** One connection to a listener that is closed when the test is over. */
async function pairOf(
  listen: (onStream: (stream: Stream) => void) => Promise<Listener>,
  connect: (listener: Listener) => Promise<Stream>,
): Promise<StreamPair> {
  let accept: (stream: Stream) => void = () => undefined
  const accepted = new Promise<Stream>((resolve) => {
    accept = resolve
  })
  const listener = await listen((stream) => accept(stream))
  onTestFinished(() => listener.close())
  const client = await connect(listener)
  return { client, server: await accepted }
}

const unix: StreamHarness = {
  name: 'unix',
  open: async () => {
    const path = `${await temporaryDirectory()}/s`
    return await pairOf(
      (onStream) => listenUnixSocket(path, { limits, onStream }),
      () => connectUnixSocket(path, { limits }),
    )
  },
}

const pipe: StreamHarness = {
  name: 'pipe (over a Unix socket)',
  open: async () => {
    const path = `${await temporaryDirectory()}/s`
    return await pairOf(
      (onStream) => listenPipe('pair', { limits, path, onStream }),
      () => connectPipe('pair', { limits, path }),
    )
  },
  lacks: { halfClose: 'a named pipe closes both ways at once' },
}

const tcp: StreamHarness = {
  name: 'tcp',
  open: () =>
    pairOf(
      (onStream) => listenTcp('//127.0.0.1:0', { limits, onStream }),
      ({ address }) => connectTcp(address.slice('tcp:'.length), { limits }),
    ),
}

const tls: StreamHarness = {
  name: 'tcp with TLS',
  open: () =>
    pairOf(
      (onStream) => listenTcp('//localhost:0', { limits, onStream, tls: serverTls }),
      ({ address }) => connectTcp(address.slice('tcp:'.length), { limits, tls: clientTls }),
    ),
}

function sharedMemory(name: string, options: { readonly spinUs?: number; readonly portable?: boolean }): StreamHarness {
  return {
    name,
    open: async () => {
      const path = `${await temporaryDirectory()}/s`
      return await pairOf(
        (onStream) => listenSharedMemory(path, { limits, onStream, ...options }),
        () => connectSharedMemory(path, { limits, ...options }),
      )
    },
  }
}

/** Every mechanism of sockets, and of memory that sockets hand over. */
export const socketStreams: readonly StreamHarness[] = [
  unix,
  pipe,
  tcp,
  tls,
  sharedMemory('shm', {}),
  sharedMemory('shm, spinning', { spinUs: 50 }),
  sharedMemory('shm by POSIX names', { portable: true }),
]
