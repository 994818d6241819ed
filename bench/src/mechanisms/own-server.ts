/** Mechanisms whose server belongs to the client: inside its process, or started by it. */

import { basename, dirname, join } from 'node:path'
import { connectMemory, listenMemory } from '../../../packages/postern/src/transports/memory.ts'
import { connectSpawnedProgram } from '../../../packages/postern/src/transports/spawned-program.ts'
import { channelDefaults, channelLine, framedLine, lineLimits as limits } from './channel-line.ts'
import { obeyOrders } from './line-order.ts'
import type { Mechanism } from './mechanism.ts'

export const memory: Mechanism = {
  name: 'channel, memory',
  defaults: 'both ends in one process; each frame is copied once',
  async connect(path) {
    const listener = listenMemory(path, { limits, onChannel: (channel) => obeyOrders(channelLine(channel)) })
    const channel = connectMemory(path, { limits })
    listener.closeSync()
    return channelLine(channel)
  },
}

/** It lies beside this program, which is one of the children too. */
const server = basename(new URL('../roles/line-stdio-server.ts', import.meta.url).pathname).replace(/ts$/, 'mjs')

export const stdio: Mechanism = {
  name: 'channel, stdio',
  defaults: `${channelDefaults}; the server is started by the client, over two pipes`,
  async connect() {
    const stream = await connectSpawnedProgram({
      argv: [process.execPath, join(dirname(process.argv[1] ?? ''), server)],
      name: 'the server of the line',
      over: 'stdio',
      graceMs: 1_000,
    })
    return framedLine('client', stream)
  },
}
