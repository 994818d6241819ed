import { setTimeout as pause } from 'node:timers/promises'
import type { EthereumNode, Transport } from './ethereum-node.ts'
import { pollMs } from './http-node.ts'
import { logTransactions } from './log-transactions.ts'
import type { Output } from './output.ts'
import { mineSampleBlock } from './sample-transactions.ts'

/** What a transaction log over one transport came to. Times are milliseconds, one a block. */
export interface LogRun {
  readonly transport: Transport
  /** One line a transaction. */
  readonly lines: readonly string[]
  /** From telling the node to mine a block until its lines were there. */
  readonly seenMs: readonly number[]
  /** From asking for a block until its transactions and receipts were there. */
  readonly fetchMs: readonly number[]
}

/** How much is logged, and where its lines go. */
export interface LogOptions {
  readonly blocks: number
  readonly output: Output
}

/** Like the blocks of a fast chain, and no multiple of the time between two polls, so that they fall anywhere in it. */
const blockEveryMs = 130

/** Lines that are shown, one block; the rest is counted. */
const shownLines = 4

/** Logs the same kinds of transactions over one transport after the other, while `miner` makes them. */
export async function compareLogs(
  nodes: readonly EthereumNode[],
  miner: EthereumNode,
  options: LogOptions,
): Promise<LogRun[]> {
  options.output.write(`\nTransaction log: ${options.blocks} blocks, one line a transaction\n`)
  const runs: LogRun[] = []
  for (const node of nodes) runs.push(await logBlocks(node, miner, options))
  return runs
}

async function logBlocks(node: EthereumNode, miner: EthereumNode, { blocks, output }: LogOptions): Promise<LogRun> {
  const { transport } = node
  const way =
    transport === 'IPC' ? 'subscribed to new heads' : `which cannot push: asked for new blocks every ${pollMs} ms`
  output.write(`  over ${transport}, ${way}\n`)
  const log = logTransactions(node, await node.newBlocks())
  const lines: string[] = []
  const seenMs: number[] = []
  const fetchMs: number[] = []
  for (let block = 0; block < blocks; block++) {
    await pause(blockEveryMs)
    const startMs = performance.now()
    const [logged] = await Promise.all([log.next(), mineSampleBlock(miner, block)])
    if (logged.done === true) throw new Error(`the log over ${transport} ended after ${block} of ${blocks} blocks`)
    seenMs.push(performance.now() - startMs)
    fetchMs.push(logged.value.fetchMs)
    for (const line of logged.value.lines) if (lines.push(line) <= shownLines) output.write(`    ${line}\n`)
  }
  await log.return(undefined)
  if (lines.length > shownLines) output.write(`    ... and ${lines.length - shownLines} more\n`)
  return { transport, lines, seenMs, fetchMs }
}
