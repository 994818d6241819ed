import { expect, test } from 'vitest'
import { type Peer, unknownPeer } from '../core/stream.ts'
import { Places } from './places.ts'

const limits = { maxConnections: 5, maxConnectionsPerForeignUid: 2 }
const stranger: Peer = { ...unknownPeer, uid: 70_002 }
const other: Peer = { ...unknownPeer, uid: 70_003 }
const own: Peer = { ...unknownPeer, uid: process.geteuid?.() }

test('Places has limits.maxConnections, for whomever', () => {
  const places = new Places(limits)
  const leave = Array.from({ length: 4 }, () => places.take(own))
  expect(places.lack(own)).toBeUndefined()
  leave.push(places.take(unknownPeer))
  for (const peer of [own, unknownPeer, stranger])
    expect(places.lack(peer)?.message).toBe('[busy] a connection was refused: limits.maxConnections (5) are open')
  leave[0]?.()
  expect(places.lack(stranger)).toBeUndefined()
})

test('Places has limits.maxConnectionsPerForeignUid for each user who is not the own one', () => {
  const places = new Places(limits)
  const leave = places.take(stranger)
  expect(places.lack(stranger)).toBeUndefined()
  places.take(stranger)
  expect(places.lack(stranger)?.message).toBe(
    '[busy] a connection was refused: limits.maxConnectionsPerForeignUid (2) of uid 70002 are open',
  )
  expect(places.lack(other)).toBeUndefined()
  leave()
  leave()
  expect(places.lack(stranger)).toBeUndefined()
  places.take(stranger)
  expect(places.lack(stranger)?.code).toBe('busy')
})

test('Places counts neither the own user nor whom the kernel does not tell', () => {
  const places = new Places(limits)
  for (const peer of [own, own, own, unknownPeer]) {
    places.take(peer)
    expect(places.lack(peer)).toBeUndefined()
  }
})
