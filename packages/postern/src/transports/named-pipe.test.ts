import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { echo, nothing, watch } from '../../test/unix-streams.ts'
import type { Listener } from '../core/channel.ts'
import { resolveLimits } from '../core/limits.ts'
import type { Stream } from '../core/stream.ts'
import { connectPipe, listenPipe, type ListenPipeOptions } from './named-pipe.ts'

const limits = resolveLimits()

async function freshPath(): Promise<string> {
  return `${await temporaryDirectory()}/pipe`
}

async function listen(path: string, options: Partial<ListenPipeOptions> = {}): Promise<Listener> {
  const listener = await listenPipe('test', {
    limits,
    path,
    onStream: (stream) => stream.start(echo(stream)),
    ...options,
  })
  onTestFinished(() => listener.close())
  return listener
}

async function connected(path: string): Promise<Stream> {
  const stream = await connectPipe('test', { limits, path })
  onTestFinished(() => stream.abort())
  return stream
}

/** A connection, neither side started. */
async function pair(): Promise<{ client: Stream; server: Stream }> {
  const path = await freshPath()
  const accepted: Stream[] = []
  await listen(path, { onStream: (stream) => void accepted.push(stream) })
  const client = await connected(path)
  await expect.poll(() => accepted.length).toBe(1)
  const server = accepted[0] as Stream
  onTestFinished(() => server.abort())
  return { client, server }
}

test('listenPipe publishes its address and gives the name back', async () => {
  const path = await freshPath()
  const listener = await listen(path)
  expect(listener.address).toBe('pipe:test')
  await expect(listen(path)).rejects.toMatchObject({ code: 'address_in_use' })
  await Promise.all([listener.close(), listener.close()])
  listener.closeSync()
  await expect(connected(path)).rejects.toMatchObject({ code: 'no_listener' })
  await expect(connected(path)).rejects.toThrow('nobody listens at pipe:test')
})

test('connectPipe can be cancelled', async () => {
  const path = await freshPath()
  await listen(path)
  const controller = new AbortController()
  const cancelled = connectPipe('test', { limits, path, signal: controller.signal })
  controller.abort()
  await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' })
})

test('Stream reads on for a moment after its end, and then closes both ways without a reason', async () => {
  const { client, server } = await pair()
  const [here, there] = [watch(client), watch(server)]
  client.write('last words')
  client.end()
  server.write('just in time')
  expect(await here.closed).toBeUndefined()
  expect(here.text()).toBe('just in time')
  await there.next('end')
  expect(there.text()).toBe('last words')
  server.end()
  expect(await there.closed).toBeUndefined()
})

test('Stream sends all that was written before its end, however late the other side reads', async () => {
  const { client, server } = await pair()
  const here = watch(client)
  const sent = Buffer.alloc(5_000_000, 'postern ')
  client.write(sent)
  client.end()
  const there = watch(server)
  await there.next('end')
  expect(there.text()).toBe(sent.toString())
  expect(await here.closed).toBeUndefined()
})

test('Stream closes at once when it ends after the other side', async () => {
  const { client, server } = await pair()
  const [here, there] = [watch(client), watch(server)]
  server.end()
  await here.next('end')
  client.end()
  expect(await here.closed).toBeUndefined()
  expect(await there.closed).toBeUndefined()
})

test('Stream closes with closed when what it wrote cannot arrive any more', async () => {
  const { client, server } = await pair()
  const [here, there] = [watch(client), watch(server)]
  server.end()
  await here.next('end')
  await there.closed
  client.write('into the void')
  client.end()
  expect(await here.closed).toMatchObject({ code: 'closed' })
})

test('Stream may be given up while it lingers, and while it has something left to send', async () => {
  for (const bytes of [1, 5_000_000]) {
    const { client } = await pair()
    const here = watch(client)
    client.write(Buffer.alloc(bytes))
    client.end()
    client.end()
    client.abort()
    expect(await here.closed).toMatchObject({ code: 'closed' })
    expect(here.events).toEqual(['close'])
  }
})

test('connectPipe and listenPipe are refused where there are no named pipes', async ({ skip }) => {
  skip(process.platform === 'win32', 'here there are')
  for (const attempt of [connectPipe('test', { limits }), listenPipe('test', { limits, onStream: nothing })]) {
    await expect(attempt).rejects.toMatchObject({ code: 'not_supported' })
    await expect(attempt).rejects.toThrow('use local:test')
  }
})

test('a stranger that half-closes is answered before it is closed', async () => {
  const path = await freshPath()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', nothing).end('greetings')
    socket.resume()
  })
  await new Promise<void>((resolve) => {
    server.listen(path, resolve)
  })
  onTestFinished(() => void server.close())
  const client = watch(await connected(path))
  await client.next('end')
  client.stream.write('answer')
  client.stream.end()
  expect(client.text()).toBe('greetings')
  await client.closed
})
