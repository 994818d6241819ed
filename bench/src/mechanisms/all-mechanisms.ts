import type { Mechanism } from './mechanism.ts'

/** Every mechanism under its name in tasks, each loaded only where it is used; in the order of the table. */
const allMechanisms: Readonly<Record<string, () => Promise<Mechanism>>> = {
  'raw-net': async () => (await import('./raw-net.ts')).rawNet,
  memory: async () => (await import('./own-server.ts')).memory,
  stdio: async () => (await import('./own-server.ts')).stdio,
  unix: async () => (await import('./sockets.ts')).unix,
  tcp: async () => (await import('./sockets.ts')).tcp,
  shm: async () => (await import('./shared-memory.ts')).sharedMemory,
  'shm-spinning': async () => (await import('./shared-memory.ts')).spinningSharedMemory,
  'shm-bytes': async () => (await import('./shared-memory.ts')).sharedMemoryBytes,
}

export async function loadMechanisms(): Promise<ReadonlyMap<string, Mechanism>> {
  const mechanisms = new Map<string, Mechanism>()
  for (const key of Object.keys(allMechanisms)) mechanisms.set(key, await loadMechanism(key))
  return mechanisms
}

export async function loadMechanism(key: string): Promise<Mechanism> {
  const load = allMechanisms[key]
  if (load === undefined) throw new TypeError(`no mechanism ${key}; there are ${Object.keys(allMechanisms).join(', ')}`)
  return await load()
}
