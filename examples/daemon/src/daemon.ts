/** The daemon as a program: `npx tsx src/daemon.ts FILE`. */

import { parseArgs } from 'node:util'
import { Queue } from './queue.ts'
import { serveJobs } from './serve-jobs.ts'

const { positionals } = parseArgs({ allowPositionals: true })
const [file = 'jobs.db'] = positionals

// The file is for this user alone, as the sockets are.
process.umask(0o077)

try {
  const queue = new Queue(file)
  // However it ends: by a signal, by rpc.stop at the admin address, or because the name is taken.
  process.once('exit', () => queue.close())
  const server = await serveJobs(queue)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => void server.close())
  console.log(`process ${process.pid} serves ${file} at ${server.addresses.join(' and ')}`)
} catch (error) {
  console.error(`daemon: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
