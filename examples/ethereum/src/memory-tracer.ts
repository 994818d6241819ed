import { parseArgs } from 'node:util'
import { connectNode } from './connect-node.ts'
import { ProgressBar } from './progress-bar.ts'
import { runProgram, UsageError } from './run-program.ts'
import { summarizeTrace, traceTransaction } from './trace-transaction.ts'

const usage = `Writes every step of a transaction to a file, and tells how much memory the EVM held at most.

  npx tsx examples/ethereum/src/memory-tracer.ts ADDRESS HASH [--out FILE]

  ADDRESS      the node's socket, such as unix:~/.ethereum/geth.ipc or unix:/tmp/anvil.ipc,
               or its URL, such as http://127.0.0.1:8545
  HASH         of the transaction; the node must serve debug_traceTransaction
               (anvil --steps-tracing; geth and reth on their IPC sockets)
  --out FILE   where to write it; trace-HASH.json in this directory if left out
`

await runProgram({ name: 'memory-tracer', usage }, async () => {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { out: { type: 'string' } } })
  const [address, hash] = positionals
  if (address === undefined || hash === undefined || positionals.length > 2) {
    throw new UsageError('it takes the address of a node and the hash of a transaction')
  }
  if (!/^0x[0-9a-fA-F]{64}$/.test(hash)) throw new UsageError(`${hash} is no hash: 0x and 64 hexadecimal digits`)
  const file = values.out ?? `trace-${hash}.json`

  await using node = await connectNode(address)
  // The size is known only when all of it is here, so this counts.
  const bar = new ProgressBar('trace', undefined, process.stderr)
  const { bytes, savedMs } = await traceTransaction(node, hash, { file, onProgress: (arrived) => bar.update(arrived) })
  bar.finish(bytes.length, `in ${(savedMs / 1000).toFixed(2)} s`)
  const { steps, failed, peakBytes } = summarizeTrace(bytes)
  console.log(`${file}: ${bytes.length.toLocaleString('en')} bytes, ${steps.toLocaleString('en')} steps`)
  if (steps === 0)
    console.log('no steps: a transfer that ran no contract, or a transaction that the node does not know')
  console.log(`peak of EVM memory: ${peakBytes.toLocaleString('en')} bytes${failed ? '; the transaction failed' : ''}`)
})
