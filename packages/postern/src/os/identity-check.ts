/** Whether peers can be told apart on this system: seen by asking who we are ourselves. */

import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Peer } from '../core/stream.ts'
import { type PeerReader, readPeer } from './peer-identity.ts'

/** What the kernel says of this process, as its own peer. Rejects where it does not tell, or no socket can be made. */
export async function readOwnIdentity(addon: PeerReader): Promise<Peer> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-'))
  const server = createServer((socket) => socket.destroy())
  try {
    const path = join(directory, 's')
    server.listen(path)
    await once(server, 'listening')
    const socket = connect({ path })
    try {
      await once(socket, 'connect')
      return readPeer(socket, addon)
    } finally {
      socket.destroy()
    }
  } finally {
    server.close()
    await rm(directory, { recursive: true })
  }
}
