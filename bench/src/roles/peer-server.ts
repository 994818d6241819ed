import { loadPeer } from '../peers/all-peers.ts'
import { serveAs } from './role.ts'

/** Which peer serves, and where. */
export interface PeerServerTask {
  readonly peer: string
  readonly path: string
}

await serveAs<PeerServerTask>(async ({ peer, path }) => await (await loadPeer(peer)).serve(path))
