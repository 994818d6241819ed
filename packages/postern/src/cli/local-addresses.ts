import { type LocalSocket, listLocalSockets } from '../os/local-sockets.ts'

/** A socket of this user, and how a client names it. */
export interface AddressedSocket extends LocalSocket {
  /** `local:` and its name or, where that means another one, `unix:` and its path. */
  readonly address: string
}

/** The sockets in the runtime directories of this user, by name. */
export async function localAddresses(): Promise<AddressedSocket[]> {
  const taken = new Set<string>()
  return (await listLocalSockets()).map((socket) => {
    const { name, path } = socket
    const isMeant = !taken.has(name) && /^[a-z0-9._-]{1,64}$/.test(name)
    taken.add(name)
    return { ...socket, address: isMeant ? `local:${name}` : `unix:${path}` }
  })
}
