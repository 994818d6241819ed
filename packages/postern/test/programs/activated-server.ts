/**
 * A service that was started by its socket. Prints one line of JSON for each attempt to listen at the names in its
 * arguments, sends its process id and what it was sent to everybody who connects, and closes at the line "close".
 */

import { execFileSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Listener } from '../../src/core/channel.ts'
import { isPosternError } from '../../src/core/errors.ts'
import type { Stream } from '../../src/core/stream.ts'
import { listenSystemd } from '../../src/transports/systemd-socket.ts'

const [maxConnections, ...names] = process.argv.slice(2)
const listeners: Listener[] = []

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

function serve(stream: Stream): void {
  stream.write(`${process.pid} `)
  const nothing = (): void => undefined
  stream.start({ data: (chunk) => void stream.write(chunk), drain: nothing, end: () => stream.end(), close: nothing })
}

/** The descriptors that a child of this process finds open, beyond its stdio and the listing itself. */
function descriptorsOfChild(): string[] {
  const program = `require('node:fs').readdirSync('/proc/self/fd').forEach((fd) => { try { const to = require('node:fs').readlinkSync('/proc/self/fd/' + fd); if (fd > 2 && /^socket:/.test(to)) console.log(to) } catch {} })`
  return execFileSync(process.execPath, ['-e', program], { encoding: 'utf8' }).split('\n').filter(Boolean)
}

for (const name of names) {
  try {
    const listener = await listenSystemd(name === '-' ? '' : name, {
      limits: { maxConnections: Number(maxConnections) },
      onStream: serve,
      onDrop: () => print({ dropped: true }),
      onLost: (error) => print({ lost: error.message }),
    })
    listeners.push(listener)
    const left = Object.keys(process.env).filter((variable) => variable.startsWith('LISTEN_'))
    print({ address: listener.address, left, inherited: descriptorsOfChild() })
  } catch (error) {
    print(isPosternError(error) ? { code: error.code, message: error.message } : { error: String(error) })
  }
}

createInterface({ input: process.stdin }).on('line', (line) => {
  if (line !== 'close') return
  void Promise.all(listeners.map((listener) => listener.close())).then(() => {
    print({ closed: true })
    process.exit()
  })
})
