import { parseArgs } from 'node:util'
import { runRestarts } from './restart-demo.ts'
import { runProgram } from './run-program.ts'
import { untilInterrupted } from './until-interrupted.ts'

const name = 'restart'
const usage = `Kills an Ethereum node of its own (anvil) below a viem client, twice, and shows what the client sees.
Takes no arguments, and leaves nothing behind.
`

await runProgram({ name, usage }, async () => {
  parseArgs()
  await untilInterrupted(name, async (signal) => {
    const { told, calls, methods } = await runRestarts({ restarts: 2, output: process.stdout, signal })
    const polled = methods.filter((method) => method === 'eth_blockNumber').length
    process.stdout.write(`\ntold in order: ${told.join(', ')}\n`)
    process.stdout.write(`${calls.length} calls made around the restarts, all settled; ${polled} of eth_blockNumber\n`)
  })
})
