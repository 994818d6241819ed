import type { Peer, PeerCase } from './peer.ts'

/** Every peer under its name on the command line of a role, each loaded only where it is used. */
const allPeers: Readonly<Record<string, () => Promise<Peer>>> = {
  'raw-net': async () => (await import('./raw-net.ts')).rawNet,
  'newline-json': async () => (await import('./newline-json.ts')).newlineJson,
  'newline-json-coalesced': async () => (await import('./newline-json-coalesced.ts')).newlineJsonCoalesced,
  'thirty-line': async () => (await import('./thirty-line.ts')).thirtyLine,
  postern: async () => (await import('./postern.ts')).postern,
  'postern-async': async () => (await import('./postern.ts')).posternAsync,
  undici: async () => (await import('./undici.ts')).undici,
  'vscode-jsonrpc': async () => (await import('./vscode-jsonrpc.ts')).vscodeJsonrpc,
  '@achrinza/node-ipc': async () => (await import('./node-ipc.ts')).nodeIpc,
  zeromq: async () => (await import('./zeromq.ts')).zeromq,
  grpc: async () => (await import('./grpc.ts')).grpc,
}

/** Loads those that take part in a case, in the order of the table. */
export async function loadPeers(wanted: PeerCase): Promise<ReadonlyMap<string, Peer>> {
  const peers = new Map<string, Peer>()
  for (const key of Object.keys(allPeers)) {
    const peer = await loadPeer(key)
    if ((peer.only ?? wanted) === wanted) peers.set(key, peer)
  }
  return peers
}

export async function loadPeer(key: string): Promise<Peer> {
  const load = allPeers[key]
  if (load === undefined) throw new TypeError(`no peer ${key}; there are ${Object.keys(allPeers).join(', ')}`)
  return await load()
}
