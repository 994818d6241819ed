/** `allow` at a server, with an addon that says what the test wants: other users are in `test/faults/other-users.test.ts`. */

import { chmod, lstat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { rawClient, type RawPeer } from '../../test/raw-peer.ts'
import { freshPath } from '../../test/unix-streams.ts'
import type { Scheme } from '../core/address.ts'
import { PosternError } from '../core/errors.ts'
import type * as Native from '../os/native.ts'
import { findNative } from '../os/native.ts'
import { until } from '../testing/until.ts'
import { connect } from './connect.ts'
import { type PlaceOptions, type ServeOptions, type Server, serve } from './serve.ts'

const addon = vi.hoisted(() => ({
  installed: true,
  /** Throws, or gives what is told of every socket. */
  peerOf: (): unknown => undefined,
}))

vi.mock('../os/native.ts', async (original) => {
  const door = await original<typeof Native>()
  const native = { ...(await door.findNative()), peerOf: () => addon.peerOf() }
  return {
    ...door,
    findNative: () => Promise.resolve(addon.installed ? native : undefined),
    loadNative: (what: string) =>
      addon.installed
        ? Promise.resolve(native)
        : Promise.reject(new PosternError('missing_dependency', `${what} needs the package "@postern/native"`)),
  }
})

const own = process.geteuid?.() ?? -1
const stranger = 70_002
const call = `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'who' })}\n`

interface Opened {
  readonly path: string
  readonly server: Server
  /** The peers for whom the handler ran. */
  readonly ran: unknown[]
  readonly told: PosternError[]
}

async function opened(
  identity: Native.PeerIdentity | (() => unknown),
  { scheme = 'unix', ...place }: Omit<PlaceOptions, 'address'> & { readonly scheme?: Scheme } = {},
  options: Partial<ServeOptions> = {},
): Promise<Opened> {
  addon.installed = true
  addon.peerOf = typeof identity === 'function' ? identity : () => identity
  const path = await freshPath()
  await chmod(dirname(path), 0o711)
  const ran: unknown[] = []
  const told: PosternError[] = []
  const handlers = {
    who: (_: unknown, { peer }: { readonly peer: unknown }) => {
      ran.push(peer)
      return peer
    },
  }
  const at = { address: `${scheme}:${path}`, ...place }
  const onError = (error: unknown): void => void told.push(error as PosternError)
  const server = await serve(handlers, { at, onError, ...options })
  onTestFinished(() => server.close())
  return { path, server, ran, told }
}

async function asked(path: string): Promise<RawPeer> {
  const client = await rawClient(path)
  client.send(call)
  return client
}

const allow = { uids: [stranger], groups: [7] }

describe('serve with allow', () => {
  it('lets in who is listed, and tells handlers who it is', async () => {
    const identity = { uid: stranger, gid: 5, groups: [6, 7], pid: 8, alive: true }
    const { path, ran, told } = await opened(identity, { allow })
    expect(await (await asked(path)).value()).toEqual({ jsonrpc: '2.0', id: 1, result: identity })
    expect(ran).toEqual([identity])
    expect(told).toEqual([])
    expect((await lstat(path)).mode & 0o777).toBe(0o666)
  })

  it('keeps the file to this user where nobody else is listed', async () => {
    const { path } = await opened({ uid: own, gid: 1 }, { allow: { uids: [own, 0] } })
    expect((await lstat(path)).mode & 0o777).toBe(0o600)
  })

  const nobody: Readonly<Record<string, [identity: () => unknown, message: string]>> = {
    'who is not listed': [
      () => ({ uid: 9, gid: 9, groups: [9], alive: true }),
      'this address is not for uid 9; its server lets in others by the option allow',
    ],
    'who cannot be told': [
      () => {
        throw Object.assign(new Error('getsockopt'), { code: 'ENOPROTOOPT' })
      },
      'the system does not tell who connected',
    ],
    'of whom nothing is told': [() => undefined, 'the system does not tell who connected'],
    'a process that has ended': [
      () => ({ uid: stranger, gid: 5, pid: 8, alive: false }),
      'the process that connected has ended',
    ],
  }
  for (const [who, [identity, sentence]] of Object.entries(nobody)) {
    it(`turns away ${who}, in words, runs nothing and tells onError once`, async () => {
      const { path, ran, server, told } = await opened(identity, { allow })
      const client = await asked(path)
      await client.ended()
      expect(client.text).toBe(`[permission_denied] ${sentence}\n`)
      expect(ran).toEqual([])
      expect(server.connections).toBe(0)
      expect(told.map((error) => error.message)).toEqual([`[permission_denied] ${sentence}`])
    })
  }

  it('turns away without allow too, where the addon tells that it is another user', async () => {
    const { path, ran } = await opened({ uid: stranger, gid: 5 })
    const client = await asked(path)
    await client.ended()
    expect(client.text).toContain('[permission_denied] this address is not for uid 70002')
    expect(ran).toEqual([])
  })

  it('says so to a client of ours, whose calls reject', async () => {
    const { path, told } = await opened({ uid: 9, gid: 9 }, { allow })
    const connection = await connect(`unix:${path}`, { trust: [9] })
    onTestFinished(() => connection.abort())
    await expect(connection.call('who')).rejects.toThrow('[permission_denied] this address is not for uid 9')
    expect(await connection.closed).toMatchObject({ code: 'permission_denied' })
    expect(told).toHaveLength(1)
  })

  it('lets in and turns away at shm: too', async ({ skip }) => {
    addon.installed = true
    skip((await findNative())?.Link === undefined, '@postern/native is not built')
    const identity = { uid: stranger, gid: 5 }
    const { path, ran, told } = await opened(() => ({ ...identity }), { scheme: 'shm', allow })
    const trust = [stranger, 9]
    const connection = await connect(`shm:${path}`, { trust })
    onTestFinished(() => connection.abort())
    expect(await connection.call('who')).toEqual(identity)
    identity.uid = 9
    const refused = await connect(`shm:${path}`, { trust })
    onTestFinished(() => refused.abort())
    await expect(refused.call('who')).rejects.toThrow('[permission_denied] this address is not for uid 9')
    expect(await refused.closed).toMatchObject({ code: 'permission_denied' })
    expect({ ran: ran.length, told: told.length }).toEqual({ ran: 1, told: 1 })
  })

  it('does not start without the addon, and leaves no name', async () => {
    addon.installed = false
    const path = await freshPath()
    const start = serve({}, { at: { address: `unix:${path}`, allow } })
    await expect(start).rejects.toMatchObject({ code: 'missing_dependency' })
    await expect(lstat(path)).rejects.toThrow('ENOENT')
  })

  it('refuses a path to which nobody else gets', async () => {
    addon.installed = true
    const path = await freshPath()
    const start = serve({}, { at: { address: `unix:${path}`, allow } })
    await expect(start).rejects.toThrow(
      `[permission_denied] directory ${dirname(path)} has mode 0700, so that no other user gets through it to ${path}; use a directory elsewhere, or chmod o+x ${dirname(path)}`,
    )
    await expect(lstat(path)).rejects.toThrow('ENOENT')
  })

  it('refuses what allow cannot be, before it listens', async () => {
    const path = await freshPath()
    const at = { address: `unix:${path}`, allow: { uids: [] } }
    await expect((async () => await serve({}, { at }))()).rejects.toThrow(TypeError)
    await expect(serve({}, { at: { address: 'tcp://127.0.0.1:0', allow, token: false } })).rejects.toMatchObject({
      code: 'not_supported',
    })
  })
})

describe('serve without the addon', () => {
  it('serves, and knows nobody', async () => {
    const { path } = await (async () => {
      const whole = await opened({ uid: own, gid: 1 })
      await whole.server.close()
      addon.installed = false
      const server = await serve(
        { who: (_: unknown, { peer }) => String(peer.uid) },
        { at: `unix:${whole.path}`, onError: () => undefined },
      )
      onTestFinished(() => server.close())
      return whole
    })()
    expect(await (await asked(path)).value()).toEqual({ jsonrpc: '2.0', id: 1, result: 'undefined' })
  })
})

describe('limits.maxConnectionsPerForeignUid', () => {
  it('bounds what one foreign user holds, whoever else comes', async () => {
    const told = { uid: stranger, gid: 5 }
    const {
      path,
      server,
      told: errors,
    } = await opened(() => ({ ...told }), { allow }, { limits: { maxConnectionsPerForeignUid: 2 } })
    const first = await asked(path)
    await first.value()
    const second = await asked(path)
    await second.value()
    expect(errors).toEqual([])
    const third = await asked(path)
    await third.ended()
    expect(third.bytes).toBe(0)
    expect(errors.map(({ message }) => message)).toEqual([
      `[busy] a connection was refused: limits.maxConnectionsPerForeignUid (2) of uid ${stranger} are open`,
    ])
    told.uid = own
    expect(await (await asked(path)).value()).toMatchObject({ result: { uid: own } })
    first.socket.destroy()
    await until(() => server.connections === 2)
    told.uid = stranger
    expect(await (await asked(path)).value()).toMatchObject({ result: { uid: stranger } })
  })

  it('counts who is turned away until they have read it', async () => {
    const { path, told } = await opened(
      { uid: 9, gid: 9 },
      { allow },
      { limits: { maxConnectionsPerForeignUid: 2, maxConnections: 3 } },
    )
    const clients = []
    for (let count = 0; count < 6; count++) clients.push(await rawClient(path))
    await until(() => told.length >= 6)
    expect(told.map(({ code }) => code).sort()).toEqual([
      ...Array.from({ length: 4 }, () => 'busy'),
      'permission_denied',
      'permission_denied',
    ])
    for (const { socket } of clients) socket.destroy()
  })
})
