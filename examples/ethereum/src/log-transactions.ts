import { z } from 'zod'
import { Block, Receipt, read } from './answers.ts'
import type { EthereumNode } from './ethereum-node.ts'
import { transactionLines } from './transaction-lines.ts'

/** One block of the log. */
export interface LoggedBlock {
  /** One line a transaction. */
  readonly lines: readonly string[]
  /** How long the node took to hand over the block with its transactions and their receipts. */
  readonly fetchMs: number
}

/** Fetches each of the blocks, as they come, with its transactions. */
export async function* logTransactions(
  node: EthereumNode,
  blocks: AsyncIterable<string>,
): AsyncGenerator<LoggedBlock, undefined> {
  for await (const hash of blocks) {
    const startMs = performance.now()
    const [block, receipts] = await node.batch([
      ['eth_getBlockByHash', hash, true],
      ['eth_getBlockReceipts', hash],
    ])
    const fetchMs = performance.now() - startMs
    const lines = transactionLines(read(Block, block, 'a block'), read(z.array(Receipt), receipts, 'receipts'))
    yield { lines, fetchMs }
  }
}
