/** A 19 MB answer of an Ethereum node, the trace of a transaction with 203,002 steps, at every client. */

import type { Anvil } from '../../../examples/ethereum/src/anvil.ts'
import { connectIpcNode } from '../../../examples/ethereum/src/ipc-node.ts'
import { countdown, countdownTraceBytes, create } from '../../../examples/ethereum/src/sample-transactions.ts'
import type { NodeTraceResult } from '../roles/node-trace-client.ts'
import type { Row, Target } from '../table.ts'
import type { BenchCase, CaseRun } from './bench-case.ts'
import { figureRows, measureClients } from './node-case.ts'

export const nodeTrace: BenchCase = { name: 'node-trace', measure }

const module = new URL('../roles/node-trace-client.ts', import.meta.url)

const target: Target = { sign: '<=', limit: 1.25 }
const libraryTarget: Target = { sign: '<=', limit: 1 }

/** With more, the slow clients would take most of the bench's time; they are too far behind to need them. */
const slowRounds = 2

async function measure(run: CaseRun): Promise<Row[]> {
  const loops = run.quick ? 3_625 : 29_000
  const repeats = run.quick ? 1 : 3
  const prepare = async (node: Anvil): Promise<object> => ({ ...(await makeTransaction(node, loops)), repeats })
  const outcomes = await measureClients<NodeTraceResult>(run, { module, prepare, slowRounds })
  const slow = outcomes.filter(({ peer }) => peer.slow === true).map(({ peer }) => peer.name)
  run.note(
    `slow with a trace: ${[...new Set(slow)].join('; ')}: at most ${slowRounds} rounds, each of one trace without a warm-up`,
  )
  if (run.settings.includes('pinned'))
    run.note('a stall, pinned, has the time in it during which the node held the core')
  const trace = `${((countdownTraceBytes.get(loops) ?? Number.NaN) / 1_000_000).toFixed(1)} MB trace`
  return figureRows(run, outcomes, [
    { title: `${trace}, wall`, unit: 'ms', of: ({ wallMs }) => wallMs, target, libraryTarget },
    { title: `${trace}, CPU of the client`, unit: 'ms', of: ({ cpuMs }) => cpuMs, target, libraryTarget },
    { title: `${trace}, longest stall of the client's event loop`, unit: 'ms', of: ({ stallMs }) => stallMs },
    { title: `${trace}, peak memory of the client`, unit: 'MB', of: ({ peakMb }) => peakMb },
  ])
}

/** A transaction that counts down: seven instructions a turn, one before the first and one to stop. */
async function makeTransaction(anvil: Anvil, loops: number): Promise<{ hash: string; steps: number }> {
  await using node = await connectIpcNode(anvil.ipcAddress)
  return { hash: await create(node, countdown(loops)), steps: 7 * loops + 2 }
}
