import { readFile, writeFile } from 'node:fs/promises'
import { connect as connectSocket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { RawPeer } from '../../test/raw-peer.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { clientTls, serverTls, strangerTls } from '../../test/tls-certificates.ts'
import { isPosternError } from '../core/errors.ts'
import { contract } from '../service/contract.ts'
import { event, method, stream } from '../service/members.ts'
import { until } from '../testing/until.ts'
import { connect, type ConnectOptions } from './connect.ts'
import type { Connection } from './connection.ts'
import { type PlaceOptions, type Server, serve } from './serve.ts'

const node = contract('node', { mark: method(), blocks: stream(), joined: event() })

interface Opened {
  readonly server: Server<typeof node.members>
  readonly address: string
  readonly file: string
  /** What the handlers were called with. */
  readonly ran: unknown[]
  readonly told: unknown[]
  readonly client: (options?: ConnectOptions) => Promise<Connection<typeof node.members>>
}

async function opened(place: Partial<PlaceOptions> = {}): Promise<Opened> {
  const file = `${await temporaryDirectory()}/token`
  const ran: unknown[] = []
  const told: unknown[] = []
  const handlers = {
    mark: (params: unknown) => ran.push(params),
    blocks: () => ['block'],
  }
  const server = await serve(node, handlers, {
    at: { address: 'tcp://127.0.0.1:0', token: { file }, ...place },
    onError: (error) => told.push(error),
  })
  onTestFinished(() => server.close())
  const address = String(server.addresses[0])
  const client = async (options: ConnectOptions = {}): Promise<Connection<typeof node.members>> => {
    const connection = await connect(address, node, { reconnect: false, ...options })
    onTestFinished(() => connection.abort())
    return connection
  }
  return { server, address, file, ran, told, client }
}

const handlers = { here: () => 'here' }

async function failureOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => 'none',
    (error: unknown) => String(error),
  )
}

async function refusalOf(at: PlaceOptions | string): Promise<unknown> {
  return await serve(handlers, { at }).then(
    async (server) => await server.close().then(() => 'it served'),
    (error: unknown) => error,
  )
}

/** A client without any library of ours. */
function rawClient(address: string): RawPeer {
  const { hostname, port } = new URL(address.replace('tcp:', 'http:'))
  const socket = connectSocket({ host: hostname, port: Number(port), allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  return new RawPeer(socket)
}

describe('a server at a tcp: address', () => {
  it('serves who shows its token, calls, streams and events, and publishes its port', async () => {
    const { address, client, file, server } = await opened()
    expect(address).toMatch(/^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/)
    const { api, on } = await client({ token: { file } })
    expect(await api.mark('x')).toBe(1)
    expect(await api.blocks().next()).toEqual({ done: false, value: 'block' })
    const heard: unknown[] = []
    await on.joined((payload) => heard.push(payload)).ready
    server.emit.joined(5)
    await api.mark('y')
    expect(heard).toEqual([5])
  })

  it('does not start without a word on tokens', async () => {
    for (const at of ['tcp://127.0.0.1:0', { address: 'tcp://localhost:0' }]) {
      const error = await refusalOf(at)
      expect(isPosternError(error, 'not_supported')).toBe(true)
      expect(String(error)).toContain('{ address, token: { file } }')
      expect(String(error)).toContain('{ address, token: false }')
    }
  })

  it('serves everybody where it says token: false, which no other address takes', async () => {
    const { client } = await opened({ token: false })
    expect(await (await client()).api.mark('x')).toBe(1)
    const elsewhere = await refusalOf({ address: `unix:${await temporaryDirectory()}/s`, token: false })
    expect(isPosternError(elsewhere, 'not_supported')).toBe(true)
    expect(String(elsewhere)).toContain('token: false is for tcp: addresses')
  })

  it('runs nothing for who shows no token, or another', async () => {
    const { client, file, ran } = await opened()
    const without = await client()
    expect(await failureOf(without.api.mark('x'))).toContain('[permission_denied]')
    await writeFile(`${file}-2`, 'x'.repeat(43), { mode: 0o600 })
    expect(await failureOf(client({ token: { file: `${file}-2` } }))).toContain('[permission_denied]')
    expect(ran).toEqual([])
  })

  it('is not believed by a client with a token where it asks for none', async () => {
    const { file } = await opened()
    const { client } = await opened({ token: false })
    expect(await failureOf(client({ token: { file } }))).toContain('[peer_rejected]')
  })

  it('answers what runs when it closes, and takes no more', async () => {
    let finish: ((value: string) => void) | undefined
    const slow = { slow: () => new Promise<string>((resolve) => (finish = resolve)) }
    const server = await serve(slow, { at: { address: 'tcp://127.0.0.1:0', token: false } })
    const address = String(server.addresses[0])
    const connection = await connect(address, { reconnect: false })
    const answer = connection.call('slow')
    await until(() => finish !== undefined)
    const closing = server.close()
    finish?.('done')
    expect(await answer).toBe('done')
    await closing
    await connection.closed
    expect(await failureOf(connect(address, { limits: { retries: 0 } }))).toContain('[no_listener]')
  })

  it('is found again by its clients when it comes back', async () => {
    const { address, server, client } = await opened({ token: false })
    const connection = await client({ reconnect: true, limits: { retryMinMs: 10 } })
    expect(await connection.api.mark('x')).toBe(1)
    await server.close()
    const again = await serve(node, { mark: () => 'again', blocks: () => [] }, { at: { address, token: false } })
    onTestFinished(() => again.close())
    expect(await connection.api.mark('y')).toBe('again')
  })
})

describe('a page in a browser that sends a call to the port', () => {
  const call = '{"jsonrpc":"2.0","id":1,"method":"node.mark","params":["x"]}\n'
  const requests: Readonly<Record<string, string>> = {
    'in a POST': `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${call.length}\r\n\r\n${call}`,
    'in a POST that is a call of its own behind a line': `POST / HTTP/1.1\n${call}${call}`,
    'in the path of a GET': `GET /${encodeURIComponent(call)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n${call}`,
    'after an OPTIONS': `OPTIONS / HTTP/1.1\r\nOrigin: http://evil.example\r\n\r\n${call}`,
    'in a method of its own': `JSON / HTTP/1.1\r\n\r\n${call}`,
    'in the preface of HTTP/2': `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${call}`,
  }
  for (const [where, request] of Object.entries(requests)) {
    for (const bytes of [request.length, 1, 7]) {
      it(`${where}, in pieces of ${bytes} bytes, is refused and runs nothing`, async () => {
        const { address, ran, server, told } = await opened({ token: false })
        const peer = rawClient(address)
        peer.socket.setNoDelay(true)
        for (let at = 0; at < request.length && !peer.over; at += bytes) {
          await new Promise<void>((resolve) => {
            peer.socket.write(request.slice(at, at + bytes), () => resolve())
          })
        }
        await peer.ended()
        expect(peer.text).toContain('[unsupported_protocol]')
        expect(peer.text).not.toContain('"result"')
        peer.socket.destroy()
        await until(() => server.connections === 0)
        expect(ran).toEqual([])
        expect(told).toHaveLength(1)
      })
    }
  }
})

describe('a tcp: address with TLS', () => {
  it('serves a client that believes its certificate, beyond this machine too', async () => {
    const { address, client, file } = await opened({ address: 'tcp://0.0.0.0:0', tls: serverTls })
    const token = { file }
    expect(await failureOf(connect(address, { token }))).toContain('[not_supported]')
    const here = address.replace('0.0.0.0', 'localhost')
    const connection = await connect(here, node, { token, tls: clientTls, reconnect: false })
    onTestFinished(() => connection.abort())
    expect(await connection.api.mark('x')).toBe(1)
    const refused = await failureOf(connect(here, node, { token, tls: strangerTls }))
    expect(refused).toContain('[peer_rejected]')
    expect(await failureOf(client({ token, tls: {} }))).toContain('[peer_rejected]')
  })

  it('shows its token to no server whose certificate it does not believe', async () => {
    const { client, file, ran } = await opened({ tls: serverTls })
    const token = (await readFile(file, 'utf8')).trim()
    const error = await failureOf(client({ token: { file }, tls: strangerTls }))
    expect(error).toContain('[peer_rejected]')
    expect(error).not.toContain(token)
    expect(ran).toEqual([])
  })

  it.each(['', '?framing=content-length', '?codec=msgpack', '?codec=cbor'])(
    'tells a client without TLS what is missing, spoken to with %j',
    async (query) => {
      const { address, told } = await opened({ tls: serverTls, token: false })
      const connection = await connect(`${address}${query}`, node, { reconnect: false })
      onTestFinished(() => connection.abort())
      expect(await failureOf(connection.api.mark('x'))).toContain(
        '[unsupported_protocol] TLS only: give the option tls',
      )
      expect(String(told[0])).toContain('[unsupported_protocol]')
    },
  )

  it('is missed by a client that wants TLS where there is none', async () => {
    const { client } = await opened({ token: false })
    expect(await failureOf(client({ tls: clientTls }))).toContain('does not speak TLS')
  })

  it('is refused where the options make no sense', async () => {
    const unix = `unix:${await temporaryDirectory()}/s`
    expect(String(await refusalOf({ address: unix, tls: serverTls }))).toContain('tls works with tcp: addresses alone')
    expect(await failureOf(connect(unix, { tls: clientTls }))).toContain('tls works with tcp: addresses alone')
    const wrong: readonly [tls: unknown, words: string][] = [
      [{}, 'tls.key is PEM text'],
      [{ ...serverTls, key: '/etc/key.pem' }, 'tls.key is PEM text'],
      [{ ...serverTls, cert: serverTls.key }, 'tls.cert is PEM text'],
      [{ ...serverTls, ca: serverTls.cert }, 'there are key, cert'],
      [null, 'takes an object of options, not null'],
    ]
    for (const [tls, words] of wrong) {
      const refusal = await refusalOf({ address: 'tcp://127.0.0.1:0', token: false, tls: tls as never })
      expect(refusal).toBeInstanceOf(TypeError)
      expect(String(refusal)).toContain(words)
      expect(String(refusal)).not.toContain('PRIVATE KEY-----\n')
    }
    expect(await failureOf(connect('tcp://127.0.0.1:1', { tls: { ca: 5 } as never }))).toContain('tls.ca is PEM text')
    expect(await failureOf(connect('tcp://127.0.0.1:1', { tls: { key: 'x' } as never }))).toContain('there are ca')
  })

  it('takes its PEM text as bytes too', async () => {
    const { client } = await opened({
      token: false,
      tls: { key: Buffer.from(serverTls.key), cert: Buffer.from(serverTls.cert) },
    })
    const connection = await client({ tls: { ca: Buffer.from(clientTls.ca ?? '') } })
    expect(await connection.api.mark('x')).toBe(1)
  })
})

it('a group is refused at tcp: and pipe: addresses', async () => {
  for (const address of ['tcp://127.0.0.1:0', 'pipe:x']) {
    const place = { address, group: 0, ...(address.startsWith('tcp') ? { token: false as const } : {}) }
    expect(String(await refusalOf(place))).toMatch(/\[not_supported\] group works with unix: addresses alone/)
  }
})
