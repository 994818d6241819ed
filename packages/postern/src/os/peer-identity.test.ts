import { connect, createServer, Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { freshPath } from '../../test/unix-streams.ts'
import { unknownPeer } from '../core/stream.ts'
import { readOwnIdentity } from './identity-check.ts'
import { findNative, type PeerIdentity } from './native.ts'
import { type PeerReader, readPeer, readPeerIfTold, readServer } from './peer-identity.ts'

const own = process.geteuid?.() ?? -1
const stranger = 70_002

test('readPeer tells of both sides of a socket who they are', async ({ skip }) => {
  const addon = await findNative()
  if (addon === undefined) return skip('@postern/native is not built')
  const expected = {
    uid: own,
    gid: process.getegid?.(),
    groups: expect.arrayContaining([]) as number[],
    pid: process.pid,
    alive: true,
  }
  for (const socket of await socketPair()) {
    const peer = readPeer(socket, addon)
    expect(peer).toEqual(expected)
    // Node puts the primary group among them.
    expect(process.getgroups?.()).toEqual(expect.arrayContaining([...(peer.groups ?? [])]))
  }
})

test('readPeer throws for a socket that is not connected, and for one that is over', async ({ skip }) => {
  const addon = await findNative()
  if (addon === undefined) return skip('@postern/native is not built')
  const [, server] = await socketPair()
  server.destroy()
  for (const socket of [server, new Socket()]) {
    expect(() => readPeer(socket, addon)).toThrow()
    expect(readPeerIfTold(socket, addon)).toEqual(unknownPeer)
  }
})

test('readPeerIfTold knows nobody without the addon, and none of whom it tells nothing', () => {
  const socket = new Socket()
  expect(readPeerIfTold(socket, undefined)).toBe(unknownPeer)
  expect(readPeerIfTold(socket, failing)).toEqual(unknownPeer)
  expect(readPeerIfTold(socket, tells(undefined as unknown as PeerIdentity))).toEqual(unknownPeer)
  expect(readPeerIfTold(socket, tells({ uid: 7, gid: 8 }))).toEqual({ ...unknownPeer, uid: 7, gid: 8 })
})

test('readServer believes its own user, root and whom it trusts', () => {
  for (const uid of [own, 0, stranger]) {
    expect(readServer(new Socket(), tells({ uid, gid: 1 }), { path: '/s', trust: [1, stranger] }).uid).toBe(uid)
  }
  expect(readServer(new Socket(), undefined, { path: '/s', trust: [] })).toBe(unknownPeer)
})

test('readServer believes nobody else, whoever owns the file, and none of whom the system tells nothing', () => {
  const refusalOf = (addon: PeerReader) => () => readServer(new Socket(), addon, { path: '/s', trust: [1] })
  expect(refusalOf(tells({ uid: stranger, gid: 1 }))).toThrow(
    `[peer_rejected] the server at /s runs as uid ${stranger}, neither as uid ${own} of this process nor as root; to believe it, give the option trust: [${stranger}]`,
  )
  for (const addon of [failing, tells(undefined as unknown as PeerIdentity)])
    expect(refusalOf(addon)).toThrow('[peer_rejected] the system does not tell who serves at /s')
})

test('readOwnIdentity finds this process, and says why it cannot', async ({ skip }) => {
  await expect(readOwnIdentity(failing)).rejects.toThrow('no such thing')
  const addon = await findNative()
  if (addon === undefined) return skip('@postern/native is not built')
  expect(await readOwnIdentity(addon)).toMatchObject({ uid: own, pid: process.pid })
})

const failing: PeerReader = {
  peerOf: () => {
    throw Object.assign(new Error('no such thing'), { code: 'ENOPROTOOPT' })
  },
}

function tells(identity: PeerIdentity): PeerReader {
  return { peerOf: () => identity }
}

async function socketPair(): Promise<[Socket, Socket]> {
  const path = await freshPath()
  const server = createServer()
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve) => {
    server.listen(path, resolve)
  })
  const accepted = new Promise<Socket>((resolve) => {
    server.once('connection', resolve)
  })
  const client = connect({ path })
  await new Promise((resolve) => {
    client.once('connect', resolve)
  })
  const pair: [Socket, Socket] = [client, await accepted]
  for (const socket of pair) onTestFinished(() => void socket.destroy())
  return pair
}
