/**
 * The whole job: an anvil of our own, both tasks over IPC and over HTTP, a table of times.
 */

import { startAnvil } from './anvil.ts'
import { compareLogs, type LogRun } from './compare-logs.ts'
import { compareTraces, type TraceComparison, type TraceRun } from './compare-traces.ts'
import { connectHttpNode, pollMs } from './http-node.ts'
import { connectIpcNode } from './ipc-node.ts'
import type { Output } from './output.ts'
import { table } from './table.ts'
import { median, withSpread } from './timings.ts'

/** How much the job does. */
export interface DemoOptions {
  /** Blocks of the transaction log, over each transport. */
  readonly blocks: number
  /** Turns of the loop whose trace is fetched: 29,000 make 19 MB. */
  readonly loops: number
  /** How often each transport fetches the trace. */
  readonly rounds: number
  readonly output: Output
  /** Stops the node, and with it the job, when it aborts. */
  readonly signal?: AbortSignal
}

/** What came of it. */
export interface DemoResult {
  /** The process of the node, which has ended. */
  readonly pid: number
  /** Its directory, which is gone. */
  readonly directory: string
  readonly logs: readonly LogRun[]
  readonly traces: TraceComparison
}

/** Starts a node, does both tasks over both transports, says what it does, and stops the node. */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const { output } = options
  await using anvil = await startAnvil({ signal: options.signal })
  const { pid, directory, ipcAddress, httpUrl } = anvil
  // When this node is gone it does not come back, so that nothing need wait for it.
  await using ipc = await connectIpcNode(ipcAddress, { reconnect: false })
  await using http = connectHttpNode(httpUrl)
  // Makes the transactions, on a connection of its own.
  await using miner = await connectIpcNode(ipcAddress, { reconnect: false })
  output.write(`${String(await ipc.call('web3_clientVersion'))}, process ${pid}\n`)
  output.write(`  IPC   ${ipcAddress}, by Postern\n  HTTP  ${httpUrl}, by Node's fetch\n`)

  const logs = await compareLogs([ipc, http], miner, options)
  const traces = await compareTraces([ipc, http], miner, { ...options, directory })
  output.write(`\n${timesTable(logs, traces.runs)}\n`)
  return { pid, directory, logs, traces }
}

function timesTable(logs: readonly LogRun[], traces: readonly TraceRun[]): string {
  const row = (title: string, [ipc = [], http = []]: readonly (readonly number[])[]): string[] => {
    return [title, withSpread(ipc), withSpread(http), `${(median(http) / median(ipc)).toFixed(2)} x`]
  }
  const rows = [
    row(
      `block mined and logged (HTTP: polled every ${pollMs} ms)`,
      logs.map((run) => run.seenMs),
    ),
    row(
      'block and receipts fetched, one batch',
      logs.map((run) => run.fetchMs),
    ),
    row(
      'trace received',
      traces.map((run) => run.receivedMs),
    ),
    row(
      'trace received and in its file',
      traces.map((run) => run.savedMs),
    ),
  ]
  return table(['median [fastest-slowest], milliseconds', 'IPC', 'HTTP', 'HTTP / IPC'], rows)
}
