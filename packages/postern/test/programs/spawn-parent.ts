/**
 * A parent to be killed: starts a service that ends with its conversation, and a program that neither looks at its input
 * nor takes SIGTERM, and says which processes they are.
 */
import { Spawner } from '../../src/app/spawn.ts'
import { resolveLimits } from '../../src/core/limits.ts'
import type { StreamHandlers } from '../../src/core/stream.ts'

const polite = `process.stdin.resume(); process.stdin.on('data', (chunk) => process.stdout.write(chunk))`
const deaf = `process.on('SIGTERM', () => 0); setInterval(() => 0, 1e6); process.stdout.write('deaf')`
const nothing = (): void => undefined

const pids = await Promise.all(
  [polite, deaf].map(async (script) => {
    const spawner = new Spawner({ spawn: [process.execPath, '-e', script], over: 'stdio', graceMs: 100 })
    const stream = await spawner.connect({ limits: resolveLimits() })
    await new Promise<void>((resolve) => {
      const handlers: StreamHandlers = { data: () => resolve(), drain: nothing, end: nothing, close: nothing }
      stream.start(handlers)
      stream.write('are you there?')
    })
    return stream.peer.pid
  }),
)
process.stderr.write(JSON.stringify(pids))
process.stdout.write('ready\n')
