import { join } from 'node:path'
import type { EthereumNode, Transport } from './ethereum-node.ts'
import type { Output } from './output.ts'
import { ProgressBar } from './progress-bar.ts'
import { countdown, countdownTraceBytes, create, memoryFiller } from './sample-transactions.ts'
import { summarizeTrace, type TraceSummary, traceTransaction } from './trace-transaction.ts'

/** Traces of one transaction over one transport. Times are milliseconds, one a round. */
export interface TraceRun {
  readonly transport: Transport
  /** From the call until its last byte was there. */
  readonly receivedMs: readonly number[]
  /** From the call until the file was written. */
  readonly savedMs: readonly number[]
}

/** What the traces came to. */
export interface TraceComparison {
  readonly runs: readonly TraceRun[]
  /** Bytes of the answer as a line on the IPC socket, when the id of its call has one digit. */
  readonly answerBytes: number
  readonly countdown: TraceSummary
  readonly filler: TraceSummary
}

/** How large the trace is, how often it is fetched, and where it goes. */
export interface TraceComparisonOptions {
  /** Turns of the countdown that is traced. */
  readonly loops: number
  readonly rounds: number
  /** Where the files of the traces are written. */
  readonly directory: string
  readonly output: Output
}

/** What stands around a result in that line. */
const envelopeBytes = '{"jsonrpc":"2.0","id":1,"result":}\n'.length

/** Traces one large transaction over each transport in turns, and checks that all say the same, byte for byte. */
export async function compareTraces(
  nodes: readonly EthereumNode[],
  miner: EthereumNode,
  options: TraceComparisonOptions,
): Promise<TraceComparison> {
  const { loops, output, directory } = options
  const hash = await create(miner, countdown(loops))
  output.write(`\nMemory tracer: every step of ${hash}, into a file\n`)
  const { runs, bytes } = await fetchInTurns(nodes, hash, options)
  const answerBytes = bytes.length + envelopeBytes
  checkSize(loops, answerBytes)
  const around = `${envelopeBytes} around it when the id has one digit`
  output.write(`  ${count(answerBytes)} bytes: ${count(bytes.length)} of result, the same over both, and ${around}\n`)

  const summary = summarizeTrace(bytes)
  output.write(`  peak of EVM memory: ${peak(summary)}: this contract counts on the stack alone\n`)
  const filling = await create(miner, memoryFiller)
  const small = await traceTransaction(miner, filling, { file: join(directory, 'filler.json'), onProgress: () => {} })
  const filler = summarizeTrace(small.bytes)
  output.write(`  and of one that fills memory: ${peak(filler)}\n`)
  return { runs, answerBytes, countdown: summary, filler }
}

async function fetchInTurns(
  nodes: readonly EthereumNode[],
  hash: string,
  { loops, rounds, directory, output }: TraceComparisonOptions,
): Promise<{ runs: TraceRun[]; bytes: Uint8Array }> {
  const runs = nodes.map((node) => ({ node, receivedMs: [] as number[], savedMs: [] as number[] }))
  let first: Uint8Array | undefined
  for (let round = 0; round < rounds; round++) {
    for (const { node, receivedMs, savedMs } of runs) {
      const bar = new ProgressBar(`  ${node.transport.padEnd(4)} `, countdownTraceBytes.get(loops), output)
      const file = join(directory, `trace-${node.transport}.json`)
      const trace = await traceTransaction(node, hash, { file, onProgress: (bytes) => bar.update(bytes) })
      bar.finish(trace.bytes.length, `in ${(trace.savedMs / 1000).toFixed(2)} s`)
      first ??= trace.bytes
      if (Buffer.compare(first, trace.bytes) !== 0) throw new Error(`the trace over ${node.transport} differs`)
      receivedMs.push(trace.receivedMs)
      savedMs.push(trace.savedMs)
    }
  }
  if (first === undefined) throw new TypeError('there must be at least one round and one node')
  return { runs: runs.map(({ node, ...times }) => ({ transport: node.transport, ...times })), bytes: first }
}

function checkSize(loops: number, answerBytes: number): void {
  const expected = countdownTraceBytes.get(loops)
  if (expected === undefined || expected === answerBytes) return
  throw new Error(`the trace of ${loops} loops takes ${count(answerBytes)} bytes, not ${count(expected)}`)
}

function peak({ peakBytes, steps }: TraceSummary): string {
  return `${count(peakBytes)} bytes in ${count(steps)} steps`
}

function count(value: number): string {
  return value.toLocaleString('en')
}
