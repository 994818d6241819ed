/** A worker as a program: `npx tsx src/worker.ts [NAME] [--slots N]`. */

import { parseArgs } from 'node:util'
import { connectToDaemon } from './client.ts'
import { runJobs } from './run-jobs.ts'
import { tasks } from './tasks.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { slots: { type: 'string', default: '1' } },
})
const [worker = `worker-${process.pid}`] = positionals

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort())

const connection = await connectToDaemon()
const log = (line: string): void => console.log(`${worker}: ${line}`)
await runJobs(connection, { worker, tasks, slots: Number(values.slots), log, signal: stop.signal })
await connection.close()
if (!stop.signal.aborted) {
  console.error(`${worker}: another worker has this name now`)
  process.exitCode = 1
}
