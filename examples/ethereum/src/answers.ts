/**
 * The parts of a node's answers that are read here, checked as they come. Whatever else a node sends is left out.
 */

import { z } from 'zod'

/** A hash, an address or an id. */
export const Hex = z.string().regex(/^0x[0-9a-fA-F]*$/)

/** A number as nodes write it: `0x5208`. */
const Quantity = z
  .string()
  .regex(/^0x[0-9a-fA-F]+$/)
  .transform(BigInt)

/** One item of the subscription `newHeads`. */
export const NewHead = z.object({ hash: Hex })

const Transaction = z.object({ hash: Hex, from: Hex, to: Hex.nullish(), value: Quantity })

/** What `eth_getBlockByHash` answers when whole transactions are asked for. */
export const Block = z.object({ number: Quantity, transactions: z.array(Transaction) })

/** One of what `eth_getBlockReceipts` answers. */
export const Receipt = z.object({
  transactionHash: Hex,
  status: Quantity,
  gasUsed: Quantity,
  contractAddress: Hex.nullish(),
})

/** One instruction that the EVM ran, with what it found before it ran. */
export const TraceStep = z.object({
  op: z.string(),
  depth: z.number(),
  gas: z.number(),
  gasCost: z.number(),
  /** The deepest item first. */
  stack: z.array(z.string()).nullish(),
  /** Words of 32 bytes, only where the node was asked for them. */
  memory: z.array(z.string()).nullish(),
  error: z.unknown().optional(),
})

/** What `debug_traceTransaction` answers. */
export const Trace = z.object({ failed: z.boolean(), structLogs: z.array(TraceStep) })

export type Block = z.infer<typeof Block>
export type Receipt = z.infer<typeof Receipt>
export type TraceStep = z.infer<typeof TraceStep>
export type Trace = z.infer<typeof Trace>

/** The answer, checked. Throws an error of one line that says what came instead of `what`. */
export function read<T>(schema: z.ZodType<T>, answer: unknown, what: string): T {
  const { success, data, error } = schema.safeParse(answer)
  if (success) return data
  const [issue] = error.issues
  throw new Error(`the node answered something else than ${what} (${issue?.path.join('.')}: ${issue?.message})`)
}
