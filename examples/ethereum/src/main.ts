import { parseArgs } from 'node:util'
import { runDemo } from './demo.ts'
import { runProgram } from './run-program.ts'
import { untilInterrupted } from './until-interrupted.ts'

const name = 'ethereum example'
const usage = `Starts an Ethereum node of its own (anvil) and shows two tasks over its IPC socket and over HTTP:
a log of transactions, and a trace of 19 MB. Takes no arguments, and leaves nothing behind.
`

await runProgram({ name, usage }, async () => {
  parseArgs()
  await untilInterrupted(name, async (signal) => {
    await runDemo({ blocks: 10, loops: 29_000, rounds: 3, output: process.stdout, signal })
  })
})
