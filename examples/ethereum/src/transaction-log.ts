import { parseArgs } from 'node:util'
import { connectNode } from './connect-node.ts'
import { logTransactions } from './log-transactions.ts'
import { runProgram, UsageError } from './run-program.ts'

const usage = `Prints one line for each transaction of each new block of an Ethereum node, until Ctrl-C.

  npx tsx examples/ethereum/src/transaction-log.ts ADDRESS [--blocks N]

  ADDRESS      the node's socket, such as unix:~/.ethereum/geth.ipc or unix:/tmp/anvil.ipc,
               or its URL, such as http://127.0.0.1:8545 (polled, since HTTP cannot push)
  --blocks N   end after N blocks
`

await runProgram({ name: 'transaction-log', usage }, async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { blocks: { type: 'string' } },
  })
  const [address] = positionals
  const blocks = Number(values.blocks ?? Number.POSITIVE_INFINITY)
  if (address === undefined || positionals.length > 1) throw new UsageError('it takes the address of one node')
  if (!(blocks > 0)) throw new UsageError(`--blocks takes a number above 0, not ${values.blocks}`)

  await using node = await connectNode(address)
  let logged = 0
  for await (const { lines } of logTransactions(node, await node.newBlocks())) {
    for (const line of lines) console.log(line)
    if (++logged >= blocks) break
  }
})
