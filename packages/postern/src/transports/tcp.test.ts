import { connect, createServer, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { clientTls, serverTls } from '../../test/tls-certificates.ts'
import { echo, nothing, watch } from '../../test/unix-streams.ts'
import type { Listener } from '../core/channel.ts'
import { resolveLimits } from '../core/limits.ts'
import type { Stream } from '../core/stream.ts'
import { until } from '../testing/until.ts'
import { connectTcp, type ConnectTcpOptions, listenTcp, type ListenTcpOptions } from './tcp.ts'

const limits = resolveLimits()
const hasVersion6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))

/** An echo server unless told otherwise, closed when the test is over. */
async function listen(target: string, options: Partial<ListenTcpOptions> = {}): Promise<Listener> {
  const listener = await listenTcp(target, { limits, onStream: (stream) => stream.start(echo(stream)), ...options })
  onTestFinished(() => listener.close())
  return listener
}

async function connected(address: string, options: Partial<ConnectTcpOptions> = {}): Promise<Stream> {
  const stream = await connectTcp(address.slice('tcp:'.length), { limits, ...options })
  onTestFinished(() => stream.abort())
  return stream
}

async function echoed(address: string, text: string): Promise<string> {
  const client = watch(await connected(address))
  client.stream.write(text)
  client.stream.end()
  await client.closed
  return client.text()
}

/** A port at which nobody listens. */
async function freePort(): Promise<number> {
  const listener = await listenTcp('//127.0.0.1:0', { limits, onStream: nothing })
  await listener.close()
  return Number(listener.address.split(':').at(-1))
}

test('listenTcp with port 0 publishes the port that it got, behind the host as it was written', async () => {
  const listener = await listen('//127.0.0.1:0')
  expect(listener.address).toMatch(/^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/)
  expect(await echoed(listener.address, 'hello')).toBe('hello')
  expect((await listen('//localhost:0')).address).toMatch(/^tcp:\/\/localhost:[1-9]\d*$/)
})

test('localhost is this machine, at the server and at the client, whatever a resolver says', async () => {
  const listener = await listen('//LocalHost:0')
  expect(await echoed(listener.address, 'hello')).toBe('hello')
  expect(await echoed(listener.address.replace('LocalHost', '127.0.0.1'), 'hello')).toBe('hello')
})

test('localhost finds a server that listens at ::1 alone', async ({ skip }) => {
  skip(!hasVersion6, 'this machine has no ::1')
  const listener = await listen('//[::1]:0')
  expect(listener.address).toMatch(/^tcp:\/\/\[::1\]:\d+$/)
  expect(await echoed(listener.address, 'hello')).toBe('hello')
  expect(await echoed(listener.address.replace('[::1]', 'localhost'), 'hello')).toBe('hello')
})

test.each([
  '//0.0.0.0:0',
  '//[::]:0',
  '//10.0.0.1:0',
  '//[::ffff:10.0.0.1]:0',
  '//example.com:0',
  '//localhost.example.com:0',
  '//127.1:0',
  '//2130706433:0',
  '//0x7f.0.0.1:0',
  '//[::2]:0',
])('listenTcp and connectTcp refuse %s without TLS, and say what to do', async (target) => {
  for (const attempt of [listen(target), connectTcp(target.replace(/0$/, '1'), { limits })]) {
    await expect(attempt).rejects.toMatchObject({ code: 'not_supported' })
    await expect(attempt).rejects.toThrow('give the option tls, or use 127.0.0.1, [::1] or localhost')
  }
})

test.each(['127.0.0.1', '127.255.255.254', 'LOCALHOST', '[::1]', '[0:0:0:0:0:0:0:1]', '[::ffff:127.0.0.1]'])(
  'connectTcp takes %s for this machine',
  async (host) => {
    const error: unknown = await connectTcp(`//${host}:${await freePort()}`, { limits }).catch(
      (reason: unknown) => reason,
    )
    expect(error).not.toMatchObject({ code: 'not_supported' })
  },
)

test('connectTcp says no_listener where nobody listens, naming the address', async () => {
  for (const host of ['127.0.0.1', 'localhost']) {
    const target = `//${host}:${await freePort()}`
    const refused = connectTcp(target, { limits })
    await expect(refused).rejects.toMatchObject({ code: 'no_listener', retryable: true })
    await expect(refused).rejects.toThrow(`nobody listens at tcp:${target}`)
  }
})

test('connectTcp refuses port 0', async () => {
  await expect(connectTcp('//127.0.0.1:0', { limits })).rejects.toMatchObject({ code: 'bad_address' })
})

test('listenTcp refuses a port that somebody has, and a host that this machine does not have', async () => {
  const { address } = await listen('//127.0.0.1:0')
  await expect(listen(address.slice('tcp:'.length))).rejects.toMatchObject({ code: 'address_in_use' })
  expect(await echoed(address, 'still here')).toBe('still here')
  const elsewhere = listen('//203.0.113.1:0', { tls: serverTls })
  await expect(elsewhere).rejects.toMatchObject({ code: 'bad_address' })
})

test('listenTcp turns away who comes beyond limits.maxConnections', async () => {
  let dropped = 0
  const streams: Stream[] = []
  const { address } = await listen('//127.0.0.1:0', {
    limits: { ...limits, maxConnections: 1 },
    onDrop: () => dropped++,
    onStream: (stream) => void streams.push(stream),
  })
  const first = watch(await connected(address))
  const second = watch(await connected(address))
  await second.next('end')
  expect([dropped, streams.length]).toEqual([1, 1])
  first.stream.abort()
  streams[0]?.abort()
})

test('Listener.close gives the port back and keeps who is connected', async () => {
  const streams: Stream[] = []
  const listener = await listen('//127.0.0.1:0', { onStream: (stream) => void streams.push(stream) })
  const client = watch(await connected(listener.address))
  await expect.poll(() => streams.length).toBe(1)
  await Promise.all([listener.close(), listener.close()])
  listener.closeSync()
  await expect(connected(listener.address)).rejects.toMatchObject({ code: 'no_listener' })
  streams[0]?.write('still')
  await client.next('data')
  expect(client.text()).toBe('still')
  streams[0]?.abort()
})

test('connectTcp can be cancelled before, while it looks for the host and while it shakes hands', async () => {
  const silent = await silentServer()
  await expect(connected(silent, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' })
  for (const host of ['localhost', '127.0.0.1']) {
    const controller = new AbortController()
    const during = connected(silent.replace('127.0.0.1', host), { tls: clientTls, signal: controller.signal })
    setImmediate(() => controller.abort())
    await expect(during).rejects.toMatchObject({ code: 'cancelled' })
  }
})

test('connectTcp gives TLS no longer than limits.connectMs', async () => {
  const hanging = connected(await silentServer(), { tls: clientTls, limits: { connectMs: 200 } })
  await expect(hanging).rejects.toMatchObject({ code: 'deadline_exceeded' })
  await expect(hanging).rejects.toThrow('limits.connectMs (200 ms)')
})

test.each([
  ['TCP', {}, {}],
  ['TLS', { tls: serverTls }, { tls: clientTls }],
])('small writes over %s wait for no answer of the other machine', async (_, server, client) => {
  const { address } = await listen('//localhost:0', {
    ...server,
    onStream: (stream) => {
      let bytes = 0
      stream.start({
        ...echo(stream),
        data: (chunk) => {
          bytes += chunk.length
          if (bytes % 2 === 0) stream.write('!')
        },
      })
    },
  })
  const { stream, ...heard } = watch(await connected(address, client))
  const start = performance.now()
  for (let exchanges = 1; exchanges <= 50; exchanges++) {
    stream.write('a')
    await nextTurn()
    stream.write('b')
    await until(() => heard.text().length === exchanges)
  }
  // Each would else wait 40 ms for an acknowledgement.
  expect(performance.now() - start).toBeLessThan(1_500)
})

test('Stream over TCP closes with closed when the other side resets it', async () => {
  const servers: Stream[] = []
  const { address } = await listen('//127.0.0.1:0', { onStream: (stream) => void servers.push(stream) })
  const socket = connect(Number(address.split(':').at(-1)), '127.0.0.1')
  await expect.poll(() => servers.length).toBe(1)
  const server = watch(servers[0] as Stream)
  socket.resetAndDestroy()
  expect(await server.closed).toMatchObject({ code: 'closed' })
})

/** The address of a server that takes connections and says nothing. */
async function silentServer(): Promise<string> {
  const sockets: Socket[] = []
  const server = createServer((socket) => void sockets.push(socket.on('error', nothing).resume()))
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const bound = server.address()
  return `tcp://127.0.0.1:${typeof bound === 'object' ? bound?.port : ''}`
}
