import type { Socket } from 'node:net'

/**
 * The descriptor of a socket, -1 where it has none. Node documents no way to ask for it; 20, 22 and 24 keep it here. If it
 * were not there, no peer would be known, and whoever has to know one would refuse.
 */
export function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as { readonly _handle?: { readonly fd?: unknown } | null }
  return typeof handle?.fd === 'number' ? handle.fd : -1
}
