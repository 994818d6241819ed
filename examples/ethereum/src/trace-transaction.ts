import { writeFile } from 'node:fs/promises'
import { read, Trace } from './answers.ts'
import type { EthereumNode } from './ethereum-node.ts'
import { peakMemory } from './peak-memory.ts'

/** How a transaction is traced. */
export interface TraceOptions {
  /** Where the trace is written: the result's JSON, byte for byte as the node sent it. */
  readonly file: string
  readonly onProgress: (bytes: number) => void
}

/** A trace that lies in its file. */
export interface SavedTrace {
  readonly bytes: Uint8Array
  /** From the call to its last byte. */
  readonly receivedMs: number
  /** From the call to the written file. */
  readonly savedMs: number
}

/** What a trace tells of a transaction. */
export interface TraceSummary {
  readonly steps: number
  readonly failed: boolean
  /** The most memory that the EVM held at once, in bytes. */
  readonly peakBytes: number
}

/** Fetches every step of a transaction and writes them to a file. */
export async function traceTransaction(
  node: EthereumNode,
  hash: string,
  { file, onProgress }: TraceOptions,
): Promise<SavedTrace> {
  const startMs = performance.now()
  const bytes = await node.callRaw(['debug_traceTransaction', hash, {}], onProgress)
  const receivedMs = performance.now() - startMs
  await writeFile(file, bytes)
  return { bytes, receivedMs, savedMs: performance.now() - startMs }
}

/** Reads a trace as the node sent it. */
export function summarizeTrace(bytes: Uint8Array): TraceSummary {
  const { failed, structLogs } = read(Trace, JSON.parse(Buffer.from(bytes).toString()), 'a trace')
  return { steps: structLogs.length, failed, peakBytes: peakMemory(structLogs) }
}
