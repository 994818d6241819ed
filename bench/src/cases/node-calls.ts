/** Small calls to an Ethereum node, one after the other and 100 in flight, by every client. */

import type { NodeCallsResult } from '../roles/node-calls-client.ts'
import type { Row } from '../table.ts'
import type { BenchCase, CaseRun } from './bench-case.ts'
import { figureRows, measureClients } from './node-case.ts'

export const nodeCalls: BenchCase = { name: 'node-calls', measure }

const module = new URL('../roles/node-calls-client.ts', import.meta.url)

const inFlight = 100
/** Enough for thousands of calls of every client, and short enough for a bench of some minutes with all of them. */
const partMs = 1_000
const fullCounts = { warmUpCalls: 2_000, sequentialCalls: 5_000, inFlight, inFlightCalls: 30_000, partMs }
const quickCounts = { warmUpCalls: 100, sequentialCalls: 200, inFlight, inFlightCalls: 1_000, partMs }

async function measure(run: CaseRun): Promise<Row[]> {
  const counts = run.quick ? quickCounts : fullCounts
  run.note(`small calls: each part ends after ${partMs} ms, with fewer calls where a client needs longer for all`)
  const outcomes = await measureClients<NodeCallsResult>(run, { module, prepare: async () => counts })
  return figureRows(run, outcomes, [
    { title: 'eth_blockNumber, p50', unit: 'us', of: ({ p50Us }) => p50Us, libraryTarget: { sign: '<=', limit: 1 } },
    {
      title: `eth_blockNumber, ${inFlight} in flight`,
      unit: 'calls/s',
      of: ({ callsPerSecond }) => callsPerSecond,
      libraryTarget: { sign: '>=', limit: 1 },
    },
  ])
}
