import { readFile, stat, writeFile } from 'node:fs/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { answerLines, type RawPeer, rawClient, rawServer } from '../../test/raw-peer.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { isPosternError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'
import { contract } from '../service/contract.ts'
import { event, method, stream } from '../service/members.ts'
import { until } from '../testing/until.ts'
import { connect, type ConnectOptions } from './connect.ts'
import type { Connection } from './connection.ts'
import { type Server, serve } from './serve.ts'

const node = contract('node', { mark: method(), blocks: stream(), joined: event() })

interface Opened {
  readonly server: Server<typeof node.members>
  readonly path: string
  readonly file: string
  /** What the handlers were called with. */
  readonly ran: unknown[]
  readonly told: unknown[]
  readonly client: (options?: ConnectOptions) => Promise<Connection<typeof node.members>>
}

async function opened(limits: Partial<Limits> = {}): Promise<Opened> {
  const directory = await temporaryDirectory()
  const path = `${directory}/s`
  const file = `${directory}/token`
  const ran: unknown[] = []
  const told: unknown[] = []
  const handlers = {
    mark: (params: unknown) => ran.push(params),
    blocks: () => {
      ran.push('blocks')
      return ['block']
    },
  }
  const server = await serve(node, handlers, {
    at: { address: `unix:${path}`, token: { file }, access: ['admin'] },
    limits,
    onError: (error) => told.push(error),
  })
  onTestFinished(() => server.close())
  const client = async (options: ConnectOptions = {}): Promise<Connection<typeof node.members>> => {
    const connection = await connect(`unix:${path}`, node, { reconnect: false, token: { file }, ...options })
    onTestFinished(() => connection.abort())
    return connection
  }
  return { server, path, file, ran, told, client }
}

const codesOf = (told: readonly unknown[]): unknown[] =>
  told.map((error) => (isPosternError(error) ? error.code : error))

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => 'none',
    (error: unknown) => codesOf([error])[0],
  )
}

const call = (id: number, name: string, params?: unknown): string =>
  `${JSON.stringify({ jsonrpc: '2.0', id, method: name, params })}\n`
const refusal = (id: number | null): object => ({ jsonrpc: '2.0', id, error: { code: -32001 } })

/** All that a peer is sent before the end. */
async function allOf(peer: RawPeer): Promise<unknown[]> {
  await peer.ended()
  return peer.text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown)
}

describe('a server with a token', () => {
  it('serves who has it, as any other server does', async () => {
    const { client, file, server } = await opened()
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const { api, on } = await client()
    expect(await api.mark('x')).toBe(1)
    expect(await api.blocks().next()).toEqual({ done: false, value: 'block' })
    const heard: unknown[] = []
    await on.joined((payload) => heard.push(payload)).ready
    server.emit.joined(5)
    await api.mark('y')
    expect(heard).toEqual([5])
  })

  it('refuses another token, and tells onError once', async () => {
    const { client, file, told, server } = await opened()
    const other = `${file}-2`
    await writeFile(other, 'x'.repeat(43), { mode: 0o600 })
    const error: unknown = await client({ token: { file: other } }).catch((reason: unknown) => reason)
    expect(isPosternError(error, 'permission_denied') && error.message).toContain(`rpc.auth with this server's token`)
    await until(() => server.connections === 0)
    expect(codesOf(told)).toEqual(['permission_denied'])
  })

  it('refuses who shows none, and runs nothing for them', async () => {
    const { client, path, ran } = await opened()
    const connection = await connect(`unix:${path}`, node, { reconnect: false })
    expect(await codeOf(connection.api.mark('x'))).toBe('permission_denied')
    await connection.closed
    expect(ran).toEqual([])
    expect(await (await client()).api.mark('y')).toBe(1)
  })

  const before: Readonly<Record<string, string>> = {
    'a call': call(1, 'node.mark', ['x']),
    'a note': '{"jsonrpc":"2.0","method":"node.mark","params":["x"]}\n',
    'a subscription': call(1, 'node.subscribe', ['blocks']),
    'rpc.ping': call(1, 'rpc.ping'),
    'rpc.discover': call(1, 'rpc.discover'),
    'rpc.stop': call(1, 'rpc.stop'),
    'rpc.cancel': '{"jsonrpc":"2.0","method":"rpc.cancel","params":{"id":1}}\n',
    'an answer': '{"jsonrpc":"2.0","id":1,"result":5}\n',
    'an item': '{"jsonrpc":"2.0","method":"node.subscription","params":{"subscription":"0x1","result":5}}\n',
    'a batch': `[${call(1, 'node.mark', ['x']).trim()}]\n`,
    'an empty batch': '[]\n',
    'no message': '{"what":1}\n',
    'a fraction as id': '{"jsonrpc":"2.0","id":0.5,"method":"rpc.auth","params":["x"]}\n',
    'rpc.auth without a token': call(1, 'rpc.auth'),
    'rpc.auth with a number': call(1, 'rpc.auth', [5]),
    'rpc.auth with an empty token': call(1, 'rpc.auth', ['']),
    'rpc.auth with a list in the list': call(1, 'rpc.auth', [['x']]),
    'rpc.auth as a note': '{"jsonrpc":"2.0","method":"rpc.auth","params":["x"]}\n',
    'RPC.AUTH': call(1, 'RPC.AUTH', ['x']),
  }
  for (const [what, bytes] of Object.entries(before)) {
    it(`answers ${what} before the token with one refusal and the end`, async () => {
      const { file, path, ran, server, told } = await opened()
      const token = (await readFile(file, 'utf8')).trim()
      const peer = await rawClient(path)
      // Whatever comes behind it in the same write is not even looked at.
      peer.send(bytes + call(2, 'rpc.auth', [token]) + call(3, 'node.mark', ['after']))
      const answers = await allOf(peer)
      const id = /^\{"jsonrpc":"2\.0","id":1,"method"/.test(bytes) ? 1 : null
      expect(answers).toMatchObject([refusal(id)])
      expect(ran).toEqual([])
      peer.socket.destroy()
      await until(() => server.connections === 0)
      expect(codesOf(told)).toEqual(['permission_denied'])
      expect(JSON.stringify([answers, String(told[0])])).not.toContain(token)
    })
  }

  it('gives one attempt, also where many come in one write', async () => {
    const { file, path, ran } = await opened()
    const token = (await readFile(file, 'utf8')).trim()
    const peer = await rawClient(path)
    const guesses = Array.from({ length: 1_000 }, (_, n) => call(n, 'rpc.auth', [`${'x'.repeat(42)}${n}`]))
    peer.send(guesses.join('') + call(1_000, 'rpc.auth', [token]) + call(1_001, 'node.mark'))
    expect(await allOf(peer)).toMatchObject([refusal(0)])
    expect(ran).toEqual([])
  })

  it('does not take the token inside a batch, nor as a named param', async () => {
    const { file, path } = await opened()
    const token = (await readFile(file, 'utf8')).trim()
    for (const bytes of [`[${call(1, 'rpc.auth', [token]).trim()}]\n`, call(1, 'rpc.auth', { token })]) {
      const peer = await rawClient(path)
      peer.send(bytes)
      expect(await allOf(peer)).toHaveLength(1)
    }
  })

  it('answers what is no JSON and what is no protocol, and ends', async () => {
    const { path, told } = await opened()
    const garbled = await rawClient(path)
    garbled.send('{"jsonrpc":"2.0","id":1,"method":nonsense}\n')
    expect(await allOf(garbled)).toMatchObject([{ id: null, error: {} }])
    const http = await rawClient(path)
    http.send('GET / HTTP/1.1\r\n\r\n')
    await http.ended()
    expect(http.text).toContain('[unsupported_protocol]')
    await until(() => told.length === 2)
  })

  it('goes on in the same write once the token was right, and takes it no second time', async () => {
    const { file, path } = await opened()
    const token = (await readFile(file, 'utf8')).trim()
    const peer = await rawClient(path)
    peer.send(call(1, 'rpc.auth', [token]) + call(2, 'node.mark') + call(3, 'rpc.auth', [token]))
    expect(await peer.value()).toEqual({ jsonrpc: '2.0', id: 1, result: true })
    expect(await peer.value()).toEqual({ jsonrpc: '2.0', id: 2, result: 1 })
    expect(await peer.value()).toMatchObject({ id: 3, error: { code: -32601 } })
    expect(peer.over).toBe(false)
  })

  const slow: Readonly<Record<string, string>> = {
    'says nothing': '',
    'sends white space': ' \n \n',
    'begins a call': '{"jsonrpc":"2.0","id":1,"method":"rpc.auth","params":["',
  }
  for (const [what, bytes] of Object.entries(slow)) {
    it(`drops a client that ${what} for limits.handshakeMs, and tells onError once`, async () => {
      const { client, path, server, told } = await opened({ handshakeMs: 250 })
      const quick = await client()
      const peer = await rawClient(path)
      if (bytes !== '') peer.send(bytes)
      await peer.ended()
      await until(() => server.connections === 1)
      expect(codesOf(told)).toEqual(['deadline_exceeded'])
      expect(String(told[0])).toContain('limits.handshakeMs (250 ms)')
      expect(peer.text).toBe('')
      expect(await quick.api.mark()).toBe(1)
    })
  }

  it('holds limits.maxUnauthenticated connections without a token, and counts none that has shown it', async () => {
    const { client, path, server, told } = await opened({ maxUnauthenticated: 2 })
    const known = [await client(), await client(), await client()]
    const first = await rawClient(path)
    await until(() => server.connections === 4)
    const fourth = await client()
    await rawClient(path)
    await until(() => server.connections === 6)
    const refused = await rawClient(path)
    await refused.ended()
    expect(String(told[0])).toContain('limits.maxUnauthenticated (2) have not shown their token')
    first.socket.destroy()
    await until(() => server.connections === 5)
    await client()
    for (const connection of [...known, fourth]) expect(await connection.call('rpc.ping')).toBe('pong')
    expect(codesOf(told)).toEqual(['busy'])
  })
})

describe('a client with a token', () => {
  it('does not believe a server that asks for none', async () => {
    const directory = await temporaryDirectory()
    await writeFile(`${directory}/token`, 'x'.repeat(43), { mode: 0o600 })
    const server = await serve({ a: () => 1 }, { at: `unix:${directory}/s` })
    onTestFinished(() => server.close())
    const connecting = connect(`unix:${directory}/s`, { token: { file: `${directory}/token` } })
    await expect(connecting).rejects.toThrow(/\[peer_rejected\].*does not ask for a token/)
  })

  it('says which file is missing', async () => {
    const { client, file } = await opened()
    const error: unknown = await client({ token: { file: `${file}-none` }, limits: { retries: 0 } }).catch(
      (reason: unknown) => reason,
    )
    expect(isPosternError(error, 'no_listener') && error.message).toContain(`${file}-none`)
  })

  it('is refused at once where the option is no file', async () => {
    await expect(connect('unix:/nowhere', { token: 'secret' as never })).rejects.toThrow(/token is an object/)
    await expect(connect('unix:/nowhere', { token: { file: '' } })).rejects.toThrow(TypeError)
  })

  /** A server that never answers, or answers as it is told, with a token file to show it. */
  async function silent(answer: (id: number, connection: number, name: string) => string | undefined) {
    const directory = await temporaryDirectory()
    const file = `${directory}/token`
    await writeFile(file, 'x'.repeat(43), { mode: 0o600 })
    const seen: string[] = []
    const { path } = await rawServer((peer, connection) =>
      answerLines(peer, ({ id, method: name }) => {
        seen.push(name)
        const text = answer(id, connection, name)
        if (text === '') peer.socket.destroy()
        return text
      }),
    )
    return { address: `unix:${path}`, token: { file }, seen }
  }

  it('gives up on a server that does not answer, after limits.connectMs', async () => {
    const { address, token } = await silent(() => undefined)
    const connecting = connect(address, { token, limits: { connectMs: 250 } })
    await expect(connecting).rejects.toThrow(/\[deadline_exceeded\].*limits\.connectMs \(250 ms\)/)
  })

  it('gives up when its signal aborts while it is asked for', async () => {
    const { address, token, seen } = await silent(() => undefined)
    const controller = new AbortController()
    const connecting = connect(address, { token, signal: controller.signal })
    await until(() => seen.length > 0)
    controller.abort()
    expect(await codeOf(connecting)).toBe('cancelled')
  })

  it('tries again where the connection ends before it is known whether the token was taken', async () => {
    const { address, token } = await silent((id, connection) =>
      connection < 3 ? '' : `${JSON.stringify({ jsonrpc: '2.0', id, result: true })}\n`,
    )
    const connection = await connect(address, { token, limits: { retryMinMs: 1 } })
    connection.abort()
  })

  it('can be closed while a lost connection shows it again', async () => {
    const { address, token, seen } = await silent((id, connection, name) => {
      if (connection > 1) return undefined
      return name === 'rpc.auth' ? `${JSON.stringify({ jsonrpc: '2.0', id, result: true })}\n` : ''
    })
    const connection = await connect(address, { token, limits: { retryMinMs: 1 } })
    expect(await codeOf(connection.call('drop'))).toBe('unknown_outcome')
    await until(() => seen.filter((name) => name === 'rpc.auth').length === 2)
    await connection.close()
    expect(await connection.closed).toBe(undefined)
  })
})
