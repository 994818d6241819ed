import { parseArgs } from 'node:util'
import { runDemo } from './demo.ts'
import { runProgram } from './run-program.ts'

const usage = `Starts an Ethereum node of its own (anvil) and shows two tasks over its IPC socket and over HTTP:
a log of transactions, and a trace of 19 MB. Takes no arguments, and leaves nothing behind.
`

/** What a shell says of a program that such a signal has ended. */
const statuses = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

const interrupted = new AbortController()
for (const [signal, status] of Object.entries(statuses)) {
  process.on(signal, () => {
    // The second time nothing is waited for, but even then the node goes with us.
    if (interrupted.signal.aborted) process.exit(status)
    process.exitCode = status
    interrupted.abort(new Error(`${signal} came`))
  })
}

await runProgram({ name: 'ethereum example', usage }, async () => {
  parseArgs()
  try {
    await runDemo({ blocks: 10, loops: 29_000, rounds: 3, output: process.stdout, signal: interrupted.signal })
  } catch (error) {
    // The node was stopped under the job's feet.
    if (!interrupted.signal.aborted) throw error
    process.stderr.write('\nethereum example: interrupted; the node is stopped\n')
  }
})
