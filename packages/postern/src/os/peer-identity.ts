/**
 * Who is at the other end of a Unix socket, as the kernel says. It is read here and nowhere else, once, when the
 * connection is made.
 */

import type { Socket } from 'node:net'
import { PosternError } from '../core/errors.ts'
import { type Peer, unknownPeer } from '../core/stream.ts'
import { ownUid } from './identity.ts'
import { fromNativeError, type NativeAddon } from './native.ts'
import { descriptorOf } from './socket-descriptor.ts'

/** What tells who it is: the native addon. */
export type PeerReader = Pick<NativeAddon, 'peerOf'>

/** The peer of a connected socket. Throws what the system says where it does not tell. */
export function readPeer(socket: Socket, { peerOf }: PeerReader): Peer {
  try {
    return { ...unknownPeer, ...peerOf(descriptorOf(socket)) }
  } catch (error) {
    throw fromNativeError(error, 'read who is at the other end of', 'a connection')
  }
}

/** The same where who cannot be told is unknown: who has to know refuses such a one. */
export function readPeerIfTold(socket: Socket, addon: PeerReader | undefined): Peer {
  if (addon === undefined) return unknownPeer
  try {
    return readPeer(socket, addon)
  } catch {
    return unknownPeer
  }
}

/**
 * The same for a client, which believes its own user, root and those whom it trusts: anybody else is `peer_rejected`, and
 * so is who cannot be told. Of a listening socket the kernel tells who made it listen: of one that systemd made, root.
 */
export function readServer(
  socket: Socket,
  addon: PeerReader | undefined,
  { path, trust }: { readonly path: string; readonly trust: readonly number[] },
): Peer {
  if (addon === undefined) return unknownPeer
  const peer = readPeerIfTold(socket, addon)
  const { uid } = peer
  if (uid === undefined)
    throw new PosternError('peer_rejected', `the system does not tell who serves at ${path}, so nobody is believed`)
  if (uid === ownUid() || uid === 0 || trust.includes(uid)) return peer
  throw new PosternError(
    'peer_rejected',
    `the server at ${path} runs as uid ${uid}, neither as uid ${ownUid()} of this process nor as root; to believe it, give the option trust: [${uid}]`,
  )
}
