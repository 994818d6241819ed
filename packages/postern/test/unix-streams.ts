import { join } from 'node:path'
import { expect, onTestFinished, vi } from 'vitest'
import type { Listener } from '../src/core/channel.ts'
import type { PosternError } from '../src/core/errors.ts'
import type { Stream, StreamHandlers } from '../src/core/stream.ts'
import { connectUnixSocket, listenUnixSocket, type ListenUnixSocketOptions } from '../src/transports/unix-socket.ts'
import { temporaryDirectory } from './temporary-directory.ts'

export function nothing(): void {}

export const silent: StreamHandlers = { data: nothing, drain: nothing, end: nothing, close: nothing }

/** A stream that was started, and what it has said since. */
export interface Watched {
  readonly stream: Stream
  readonly events: string[]
  readonly closed: Promise<PosternError | undefined>
  text(): string
  next(event: string): Promise<string>
}

/** Starts a stream and notes all it says. */
export function watch(stream: Stream): Watched {
  const events: string[] = []
  const chunks: Uint8Array[] = []
  const closed = new Promise<PosternError | undefined>((resolve) => {
    stream.start({
      data: (chunk) => {
        chunks.push(chunk)
        if (events.at(-1) !== 'data') events.push('data')
      },
      drain: () => void events.push('drain'),
      end: () => void events.push('end'),
      close: (reason) => {
        events.push('close')
        resolve(reason)
      },
    })
  })
  const text = () => Buffer.concat(chunks).toString()
  const next = (event: string) =>
    vi.waitFor(() => {
      expect(events).toContain(event)
      return event
    })
  return { stream, events, closed, text, next }
}

export async function started(path: string): Promise<Watched> {
  const stream = await connectTo(path)
  onTestFinished(() => stream.abort())
  return watch(stream)
}

export function connectTo(path: string): Promise<Stream> {
  return connectUnixSocket(path, { limits: { connectMs: 5_000 } })
}

/** An echo server unless told otherwise, closed when the test is over. */
export async function listen(path: string, options: Partial<ListenUnixSocketOptions> = {}): Promise<Listener> {
  const listener = await listenUnixSocket(path, {
    limits: { maxConnections: 1_024 },
    onStream: (stream) => stream.start(echo(stream)),
    ...options,
  })
  onTestFinished(() => listener.close())
  return listener
}

/** Sends back what comes and ends after the other side. */
export function echo(stream: Stream, close: StreamHandlers['close'] = nothing): StreamHandlers {
  return { data: (chunk) => void stream.write(chunk), drain: nothing, end: () => stream.end(), close }
}

export async function echoed(path: string, text: string): Promise<string> {
  const client = await started(path)
  client.stream.write(Buffer.from(text))
  client.stream.end()
  await client.closed
  return client.text()
}

export async function freshPath(): Promise<string> {
  return join(await temporaryDirectory(), 's')
}
