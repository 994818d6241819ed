import type { Peer } from './peer.ts'

/** Every peer under its name on the command line of a role, each loaded only where it is used. */
const allPeers: Readonly<Record<string, () => Promise<Peer>>> = {
  'raw-net': async () => (await import('./raw-net.ts')).rawNet,
  'newline-json': async () => (await import('./newline-json.ts')).newlineJson,
  'newline-json-coalesced': async () => (await import('./newline-json-coalesced.ts')).newlineJsonCoalesced,
  postern: async () => (await import('./postern.ts')).postern,
  'postern-async': async () => (await import('./postern.ts')).posternAsync,
}

export const peerKeys: readonly string[] = Object.keys(allPeers)

export async function loadPeer(key: string): Promise<Peer> {
  const load = allPeers[key]
  if (load === undefined) throw new TypeError(`no peer ${key}; there are ${peerKeys.join(', ')}`)
  return await load()
}
