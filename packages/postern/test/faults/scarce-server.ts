/**
 * An echo server at the path in its argument, to be started with few descriptors. It prints how many connections it
 * dropped. On the line "exhaust" it takes all descriptors there are, tries to connect and to listen, and lets go again.
 */

import { closeSync, openSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { isPosternError } from '../../src/core/errors.ts'
import { connectUnixSocket, listenUnixSocket } from '../../src/transports/unix-socket.ts'

const path = process.argv[2] ?? ''
let dropped = 0

await listenUnixSocket(path, {
  limits: { maxConnections: 1_024 },
  onStream: (stream) =>
    stream.start({
      data: (chunk) => void stream.write(chunk),
      drain: () => undefined,
      end: () => stream.end(),
      close: () => undefined,
    }),
  onDrop: () => print(`dropped ${++dropped}`),
})
print('listening')
process.stdin.on('data', () => void exhaust())

async function exhaust(): Promise<void> {
  const taken = takeAll()
  const listening = listenUnixSocket(`${path}-2`, { limits: { maxConnections: 1 }, onStream: () => undefined })
  const [connected, listened] = [
    await codeOf(connectUnixSocket(path, { limits: { connectMs: 1_000 } })),
    await codeOf(listening),
  ]
  for (const descriptor of taken) closeSync(descriptor)
  await turn()
  print(`connect: ${connected}, listen: ${listened}`)
}

function takeAll(): number[] {
  const taken: number[] = []
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'))
  } catch {
    return taken
  }
}

async function codeOf(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt
    return 'done'
  } catch (error) {
    return isPosternError(error) ? error.code : String(error)
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
