import type { NodePeer } from './node-peer.ts'

/** The one that the others are compared with. */
export const basePeer = 'thirty-line'

/** Ours, which the targets are for. */
export const targetedPeer = 'postern'

/** Every peer under its name on the command line of a role, each loaded only where it is used; the base comes first. */
const allNodePeers: Readonly<Record<string, () => Promise<NodePeer>>> = {
  [basePeer]: async () => (await import('./thirty-line.ts')).thirtyLine,
  'raw-http': async () => (await import('./raw-http.ts')).rawHttp,
  [targetedPeer]: async () => (await import('./postern.ts')).postern,
  'viem-ipc': async () => (await import('./viem-ipc.ts')).viemIpc,
  'viem-http': async () => (await import('./viem-http.ts')).viemHttp,
  'ethers-ipc': async () => (await import('./ethers-ipc.ts')).ethersIpc,
  'ethers-http': async () => (await import('./ethers-http.ts')).ethersHttp,
  'web3-ipc': async () => (await import('./web3-ipc.ts')).web3Ipc,
  'web3-http': async () => (await import('./web3-http.ts')).web3Http,
}

/** Loads all, in the order of the table. */
export async function loadNodePeers(): Promise<ReadonlyMap<string, NodePeer>> {
  const peers = new Map<string, NodePeer>()
  for (const key of Object.keys(allNodePeers)) peers.set(key, await loadNodePeer(key))
  return peers
}

export async function loadNodePeer(key: string): Promise<NodePeer> {
  const load = allNodePeers[key]
  if (load === undefined) throw new TypeError(`no peer ${key}; there are ${Object.keys(allNodePeers).join(', ')}`)
  return await load()
}
