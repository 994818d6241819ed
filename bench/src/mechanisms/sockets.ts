/** Channels over sockets: of this machine's files, and of its loopback network. */

import { writeFile, readFile } from 'node:fs/promises'
import { connectTcp, listenTcp } from '../../../packages/postern/src/transports/tcp.ts'
import { connectUnixSocket, listenUnixSocket } from '../../../packages/postern/src/transports/unix-socket.ts'
import { channelDefaults, framedLine, lineLimits as limits } from './channel-line.ts'
import type { Mechanism } from './mechanism.ts'

export const unix: Mechanism = {
  name: 'channel, unix',
  defaults: channelDefaults,
  async listen(path, onLine) {
    const listener = await listenUnixSocket(path, {
      limits,
      onStream: (stream) => onLine(framedLine('server', stream)),
    })
    return () => listener.close()
  },
  connect: async (path) => framedLine('client', await connectUnixSocket(path, { limits })),
}

/** The path holds the port that the server was given. */
export const tcp: Mechanism = {
  name: 'channel, tcp',
  defaults: `${channelDefaults}; 127.0.0.1`,
  async listen(path, onLine) {
    const listener = await listenTcp('//127.0.0.1:0', {
      limits,
      onStream: (stream) => onLine(framedLine('server', stream)),
    })
    await writeFile(path, listener.address.replace('tcp:', ''))
    return () => listener.close()
  },
  connect: async (path) => framedLine('client', await connectTcp(await readFile(path, 'utf8'), { limits })),
}
