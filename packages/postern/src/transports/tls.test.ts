import { connect as connectPlainly, createServer } from 'node:net'
import { connect as connectTlsPlainly } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { RawPeer } from '../../test/raw-peer.ts'
import { aloneTls, clientTls, elsewhereTls, serverTls, strangerTls } from '../../test/tls-certificates.ts'
import { echo, nothing, watch } from '../../test/unix-streams.ts'
import type { PosternError } from '../core/errors.ts'
import { resolveLimits } from '../core/limits.ts'
import type { Stream } from '../core/stream.ts'
import { until } from '../testing/until.ts'
import { connectTcp, listenTcp } from './tcp.ts'
import type { ClientTls, ServerTls } from './tls.ts'

const limits = resolveLimits()

interface Opened {
  readonly port: number
  /** What was told of those who did not come to terms. */
  readonly told: PosternError[]
  /** Those who did. */
  readonly streams: Stream[]
}

async function opened(tls: ServerTls = serverTls, handshakeMs = limits.handshakeMs): Promise<Opened> {
  const told: PosternError[] = []
  const streams: Stream[] = []
  const listener = await listenTcp('//127.0.0.1:0', {
    limits: { ...limits, handshakeMs },
    tls,
    onError: (error) => told.push(error),
    onStream: (stream) => {
      streams.push(stream)
      stream.start(echo(stream))
    },
  })
  onTestFinished(() => listener.close())
  return { port: Number(listener.address.split(':').at(-1)), told, streams }
}

async function connected(port: number, tls?: ClientTls, host = '127.0.0.1'): Promise<Stream> {
  const stream = await connectTcp(`//${host}:${port}`, { limits, ...(tls === undefined ? {} : { tls }) })
  onTestFinished(() => stream.abort())
  return stream
}

/** A client without any library of ours. */
function rawClient(port: number): RawPeer {
  const socket = connectPlainly({ port, host: '127.0.0.1', allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  return new RawPeer(socket)
}

test('a client that believes the authority is served, by number and by name', async () => {
  const { port } = await opened()
  for (const host of ['127.0.0.1', 'localhost']) {
    const client = watch(await connected(port, clientTls, host))
    client.stream.write('hello')
    client.stream.end()
    expect(await client.closed).toBeUndefined()
    expect(client.text()).toBe('hello')
  }
})

test('a certificate that is signed by itself is believed where it was given', async () => {
  const { port } = await opened(aloneTls)
  const stream = await connected(port, { ca: aloneTls.cert })
  stream.abort()
  await expect(connected(port, clientTls)).rejects.toThrow('to do so, give it as tls: { ca }')
})

test.each([
  ['of a stranger', serverTls, strangerTls, 'give the one of who signed it as tls: { ca }'],
  ['that no authority of Node has signed', serverTls, {}, 'give the one of who signed it as tls: { ca }'],
  ['for another host', elsewhereTls, clientTls, "IP: 127.0.0.1 is not in the cert's list"],
] as const)('a client refuses a certificate %s', async (_, server, client, words) => {
  const { port, told } = await opened(server)
  const refused = connected(port, client)
  await expect(refused).rejects.toMatchObject({ code: 'peer_rejected', retryable: false })
  await expect(refused).rejects.toThrow(words)
  await expect(refused).rejects.toThrow(`tcp://127.0.0.1:${port}`)
  expect(told).toEqual([])
})

test('NODE_TLS_REJECT_UNAUTHORIZED=0 makes no client believe a stranger', async () => {
  const { port } = await opened()
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
  onTestFinished(() => void delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'])
  await expect(connected(port, strangerTls)).rejects.toMatchObject({ code: 'peer_rejected' })
})

test('a server refuses a version of TLS below 1.2', async () => {
  const { port, told } = await opened()
  const socket = connectTlsPlainly({
    port,
    ca: clientTls.ca,
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT:@SECLEVEL=0',
  })
  const error = await new Promise<Error>((resolve) => {
    socket.on('error', resolve)
  })
  expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION/) })
  await until(() => told.length === 1)
  expect(told[0]).toMatchObject({ code: 'unsupported_protocol' })
})

test('a plain client is told to use TLS, in words, and nothing of it comes through', async () => {
  const { port, streams, told } = await opened()
  const client = watch(await connected(port))
  client.stream.write('{"jsonrpc":"2.0","id":1,"method":"a"}\n')
  await client.next('end')
  expect(client.text()).toBe('[unsupported_protocol] TLS only: give the option tls\n')
  expect(told.map(({ code }) => code)).toEqual(['unsupported_protocol'])
  expect(streams).toEqual([])
})

test('a client of TLS is told that the server does not speak it', async () => {
  const server = createServer((socket) => void socket.on('error', nothing).once('data', () => socket.end('what?\n')))
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(() => void server.close())
  const bound = server.address()
  const refused = connected(typeof bound === 'object' ? (bound?.port ?? 0) : 0, clientTls)
  await expect(refused).rejects.toMatchObject({ code: 'unsupported_protocol' })
  await expect(refused).rejects.toThrow('does not speak TLS')
})

const hesitant: Readonly<Record<string, readonly number[]>> = {
  'says nothing': [],
  'says the first byte of TLS': [0x16],
  'begins to shake hands': [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc],
}
for (const [what, bytes] of Object.entries(hesitant)) {
  test(`a client that ${what} and no more is cut after limits.handshakeMs, and told of`, async () => {
    const { port, streams, told } = await opened(serverTls, 250)
    const client = rawClient(port)
    if (bytes.length > 0) client.send(Uint8Array.from(bytes))
    await client.ended()
    await until(() => told.length === 1)
    expect(told[0]).toMatchObject({ code: 'deadline_exceeded' })
    expect(told[0]?.message).toContain('limits.handshakeMs')
    expect([client.text, streams]).toEqual(['', []])
  })
}

test('a client that sends garbage for TLS is cut, and the others are served on', async () => {
  const { port, told } = await opened()
  const client = rawClient(port)
  client.send(Buffer.alloc(1_000, 0x16))
  await client.ended()
  await until(() => told.length === 1)
  expect(told[0]).toMatchObject({ code: 'unsupported_protocol' })
  const other = watch(await connected(port, clientTls))
  other.stream.write('hello')
  await other.next('data')
})

test('200 clients that leave at any moment of the handshake leave nothing behind, and are no news', async () => {
  const { port, streams, told } = await opened()
  await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const socket = index % 2 === 0 ? connectPlainly(port, '127.0.0.1') : connectTlsPlainly({ port, ...clientTls })
      socket.on('error', nothing)
      const closed = new Promise((resolve) => socket.on('close', resolve))
      if (index % 5 === 0) socket.on('connect', () => socket.destroy())
      else if (index % 5 === 1) socket.on('lookup', () => setImmediate(() => socket.destroy()))
      else setTimeout(() => socket.destroy(), index % 7)
      setTimeout(() => socket.destroy(), 50)
      await closed
    }),
  )
  const last = watch(await connected(port, clientTls))
  last.stream.write('hello')
  await last.next('data')
  last.stream.abort()
  for (const stream of streams) stream.abort()
  expect(told).toEqual([])
})

test.each([
  ['no certificate', { ...serverTls, cert: 'what' }],
  ['no key', { ...serverTls, key: 'what' }],
  ['the key of another', { ...serverTls, key: elsewhereTls.key }],
])('listenTcp refuses %s with a TypeError', async (_, tls) => {
  const refused = listenTcp('//127.0.0.1:0', { limits, tls, onStream: nothing })
  await expect(refused).rejects.toBeInstanceOf(TypeError)
  await expect(refused).rejects.toThrow('tls: key and cert are of no use together')
})
