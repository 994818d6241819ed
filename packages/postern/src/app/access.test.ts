import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { rawClient } from '../../test/raw-peer.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { isPosternError } from '../core/errors.ts'
import { contract } from '../service/contract.ts'
import { event, method, stream } from '../service/members.ts'
import { until } from '../testing/until.ts'
import { connect } from './connect.ts'
import type { Connection } from './connection.ts'
import { type Server, serve } from './serve.ts'

const node = contract('node', {
  info: method({ returns: z.string() }),
  shutdown: method({ access: 'admin', summary: 'a summary for admins' }),
  pause: method({ access: 'operator' }),
  blocks: stream(),
  logs: stream({ access: 'admin' }),
  joined: event(),
  alarm: event({ access: 'admin' }),
})
type Node = typeof node.members

const methodNames = ['info', 'shutdown', 'pause']
const feedNames = ['blocks', 'logs', 'joined', 'alarm']

/** What exists at the address of each of these levels. */
const offered: Readonly<Record<string, readonly string[]>> = {
  '': ['info', 'blocks', 'joined'],
  admin: ['info', 'shutdown', 'blocks', 'logs', 'joined', 'alarm'],
  operator: ['info', 'pause', 'blocks', 'joined'],
  'admin operator': [...methodNames, ...feedNames],
}

interface Opened {
  readonly server: Server<Node>
  /** The path of the socket of some levels. */
  readonly path: (levels: string) => string
  readonly client: (levels: string) => Promise<Connection<Node>>
}

async function opened(): Promise<Opened> {
  const directory = await temporaryDirectory()
  const path = (levels: string): string => `${directory}/${levels.replace(' ', '-')}.s`
  const at = Object.keys(offered).map((levels) => ({
    address: `unix:${path(levels)}`,
    access: levels.split(' ').filter((level) => level !== ''),
  }))
  const handlers = {
    info: () => 'info',
    shutdown: () => 'shutdown',
    pause: () => 'pause',
    blocks: () => ['block'],
    logs: () => ['log'],
  }
  const server = await serve(node, handlers, { at })
  onTestFinished(() => server.close())
  const client = async (levels: string): Promise<Connection<Node>> => {
    const connection = await connect(`unix:${path(levels)}`, node, { reconnect: false })
    onTestFinished(() => connection.abort())
    return connection
  }
  return { server, path, client }
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => 'none',
    (error: unknown) => (isPosternError(error) ? error.code : String(error)),
  )
}

describe('the members of a contract', () => {
  for (const [levels, names] of Object.entries(offered)) {
    it(`exist at an address of ${levels || 'no level'} where they ask for no other`, async () => {
      const { client } = await opened()
      const connection = await client(levels)
      const exist: string[] = []
      const errors = new Set<string>()
      for (const name of methodNames) {
        const code = await codeOf(connection.call(`node.${name}`))
        if (code === 'none') exist.push(name)
        else errors.add(code)
      }
      for (const name of feedNames) {
        const code = await codeOf(connection.call('node.subscribe', [name]))
        if (code === 'none') exist.push(name)
        else errors.add(code)
      }
      expect(exist).toEqual(names)
      expect([...errors]).toEqual(names.length === 7 ? [] : ['unknown_method'])
    })

    it(`are described at an address of ${levels || 'no level'} where they exist there`, async () => {
      const { client } = await opened()
      const document = (await (await client(levels)).call('rpc.discover')) as Readonly<
        Record<string, readonly { name: string }[] | undefined>
      >
      const described = ['methods', 'x-streams', 'x-events'].flatMap((part) => document[part] ?? [])
      expect(described.map(({ name }) => name)).toEqual(names.map((name) => `node.${name}`))
      if (!names.includes('shutdown')) expect(JSON.stringify(document)).not.toMatch(/shutdown|for admins|alarm/)
    })
  }

  it('are answered at a public address as what was never there', async () => {
    const { path } = await opened()
    const peer = await rawClient(path(''))
    const asked = async (method: string, params: unknown): Promise<unknown> => {
      peer.send(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })}\n`)
      return await peer.value()
    }
    const withoutName = (answer: unknown): string => JSON.stringify(answer).replaceAll(/shutdown|nothing|logs/g, '')
    expect(withoutName(await asked('node.shutdown', []))).toBe(withoutName(await asked('node.nothing', [])))
    expect(withoutName(await asked('node.subscribe', ['logs']))).toBe(
      withoutName(await asked('node.subscribe', ['nothing'])),
    )
  })

  it('have their exact name, and no other way in', async () => {
    const { client } = await opened()
    const [open, admin] = [await client(''), await client('admin')]
    const others = [
      ...['node.Shutdown', 'NODE.shutdown', 'node.SHUTDOWN', 'node.shutdown ', ' node.shutdown', 'node..shutdown'],
      ...['node.shutdown.', '.node.shutdown', 'node/shutdown', 'node_shutdown', 'shutdown', 'node.shut\u00addown'],
      ...['node.shutdow\uff4e', 'n\u043ede.shutdown', 'node\u2024shutdown', 'node.shutdown\0', 'node.shutdown\u200b'],
      ...['node.info\u0301', 'node.then', 'node.constructor', 'node.__proto__', 'node.toString', 'constructor'],
      ...['__proto__', 'toString', 'then', '__defineGetter__', 'node.', 'node', 'rpc', 'rpc.', 'rpc.Stop', 'RPC.stop'],
      ...['rpc.nothing', 'rpc.subscribe', 'node.subscription', 'node.blocks', 'node.joined', 'node.logs'],
    ]
    for (const name of others) {
      expect([name, await codeOf(open.call(name))]).toEqual([name, 'unknown_method'])
      expect([name, await codeOf(admin.call(name))]).toEqual([name, 'unknown_method'])
    }
    // Where the text itself is normalised by nobody, a composed and a decomposed name are two names.
    expect(await codeOf(open.call('node.shutdown'.normalize('NFKD')))).toBe('unknown_method')
  })

  it('emit only where they exist', async () => {
    const { client, server } = await opened()
    const [open, admin] = [await client(''), await client('admin')]
    const heard: string[] = []
    expect(await codeOf(open.on.alarm(() => heard.push('open')).ready)).toBe('unknown_method')
    await admin.on.alarm(() => heard.push('admin')).ready
    server.emit.alarm()
    await Promise.all([open.api.info(), admin.api.info()])
    expect(heard).toEqual(['admin'])
  })
})

describe('what every server answers', () => {
  it('is rpc.ping at any address', async () => {
    const { client } = await opened()
    for (const levels of Object.keys(offered)) expect(await (await client(levels)).call('rpc.ping')).toBe('pong')
  })

  it('is rpc.stop where admins are, which is answered and closes all addresses', async () => {
    const { client, server } = await opened()
    const [open, operator, admin] = [await client(''), await client('operator'), await client('admin')]
    expect(await codeOf(open.call('rpc.stop'))).toBe('unknown_method')
    expect(await codeOf(operator.call('rpc.stop'))).toBe('unknown_method')
    await open.notify('rpc.stop')
    expect(await open.batch([['rpc.stop']])).toMatchObject([{ status: 'rejected', reason: { code: 'unknown_method' } }])
    expect(await open.api.info()).toBe('info')
    expect(await admin.call('rpc.stop')).toBe(null)
    await server.closed
    expect(await open.closed).toBe(undefined)
    await until(() => server.connections === 0)
    expect(await codeOf(client(''))).toMatch(/no_listener/)
  })

  it('is rpc.stop in a batch too, with the answers sent first', async () => {
    const { client } = await opened()
    const admin = await client('admin')
    const answers = await admin.batch([['rpc.stop'], ['node.info']])
    expect(answers).toEqual([
      { status: 'fulfilled', value: null },
      { status: 'fulfilled', value: 'info' },
    ])
    await admin.closed
  })
})

describe('an address with access', () => {
  const wrong: readonly [why: string, at: unknown, message: RegExp][] = [
    ['a level that is no list', { address: 'memory:x', access: 'admin' }, /access is a list of levels, as \["admin"\]/],
    ['a level that is no text', { address: 'memory:x', access: [5] }, /access is a list of levels/],
    ['an unknown option', { address: 'memory:x', acces: ['admin'] }, /an address in "at" has no option "acces"/],
    ['no address', { access: ['admin'] }, /an address in "at" is a string/],
    ['null', [null], /an address in "at" takes an object of options, not null/],
    ['a number', 5, /an address in "at" takes an object of options, not number/],
    ['a token that is a text', { address: 'memory:x', token: 'secret' }, /token is an object with the path of a file/],
    ['a token without a file', { address: 'memory:x', token: {} }, /token is an object with the path of a file/],
  ]
  for (const [why, at, message] of wrong) {
    it(`is refused for ${why}`, async () => {
      await expect(serve({ a: () => 1 }, { at: at as never })).rejects.toThrow(message)
    })
  }

  it('is refused for a level that nothing asks for, but for admin', async () => {
    const handlers = { info: () => '', shutdown: () => 1, pause: () => 1, blocks: () => [], logs: () => [] }
    const at = { address: 'memory:levels', access: ['admin', 'admni'] }
    await expect(serve(node, handlers, { at })).rejects.toThrow(
      /access of memory:levels lists "admni", which no member of the contract asks for; there are admin, operator$/,
    )
    const server = await serve({ a: () => 1 }, { at: { address: 'memory:levels', access: ['admin'] } })
    await server.close()
  })
})
