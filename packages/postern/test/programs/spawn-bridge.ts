/** The other end of a spawned program, brought back to who started it: `stdio:` here is copied to a Unix socket. */
import { resolveLimits } from '../../src/core/limits.ts'
import type { Stream } from '../../src/core/stream.ts'
import { connectStdio } from '../../src/transports/stdio.ts'
import { connectUnixSocket } from '../../src/transports/unix-socket.ts'

const [path = ''] = process.argv.slice(2)
const stdio = await connectStdio()
const socket = await connectUnixSocket(path, { limits: resolveLimits() })
copy(stdio, socket)
copy(socket, stdio)

/** No bytes are held here: who is full stops the other. */
function copy(from: Stream, to: Stream): void {
  from.start({
    data: (chunk) => {
      if (!to.write(chunk)) from.pause()
    },
    drain: () => to.resume(),
    end: () => to.end(),
    close: (reason) => {
      if (reason !== undefined) to.abort()
    },
  })
}
