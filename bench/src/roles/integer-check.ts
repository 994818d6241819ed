/** What exactness costs: decoding by the JSON codec beside `JSON.parse` alone, on one large text and one small one. */

import { json } from 'postern/codecs'
import { median } from '../stats.ts'
import { traceJson } from '../trace-json.ts'
import { costOf } from './cost.ts'
import { measureAs } from './role.ts'

/** What to measure. */
export interface IntegerCheckTask {
  readonly bytes: number
  readonly repeats: number
  readonly smallDecodes: number
  /** Which of the ways goes first. */
  readonly first: number
}

/** Times on a core, of each way in the order of `ways`: of the large text in ms, of the small one in us. */
export interface IntegerCheckResult {
  readonly largeMs: readonly number[]
  readonly smallUs: readonly number[]
}

type Way = (bytes: Buffer) => unknown

const ways: readonly Way[] = [
  (bytes) => JSON.parse(bytes.toString()),
  (bytes) => json.decode(bytes),
  (bytes) => json.decode(bytes, { integers: 'number' }),
]

await measureAs<IntegerCheckTask>(measure)

async function measure({ bytes, repeats, smallDecodes, first }: IntegerCheckTask): Promise<IntegerCheckResult> {
  const large = Buffer.from(traceJson(bytes))
  const small = Buffer.from(
    JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'echo', params: { text: 'postern '.repeat(5) } }),
  )
  const largeMs = await timeInTurn(repeats, first, (way) => way(large))
  const manyMs = await timeInTurn(repeats, first, (way) => decodeOften(way, small, smallDecodes))
  return { largeMs, smallUs: manyMs.map((ms) => (ms / smallDecodes) * 1_000) }
}

/** The ways take turns, once to warm up and then `repeats` times. */
async function timeInTurn(repeats: number, first: number, work: (way: Way) => unknown): Promise<number[]> {
  const timesMs = ways.map((): number[] => [])
  for (let repeat = 0; repeat <= repeats; repeat++) {
    for (let turn = 0; turn < ways.length; turn++) {
      const index = (first + turn) % ways.length
      const { cpuMs } = await costOf(() => work(ways[index] as Way))
      if (repeat > 0) timesMs[index]?.push(cpuMs)
    }
  }
  return timesMs.map(median)
}

function decodeOften(way: Way, bytes: Buffer, times: number): void {
  for (let time = 0; time < times; time++) way(bytes)
}
