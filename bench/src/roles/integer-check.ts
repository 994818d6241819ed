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

/** Times on a core, of each way in the order of `decodings`: of the large text in ms, of the small one in us. */
export interface IntegerCheckResult {
  readonly largeMs: readonly number[]
  readonly smallUs: readonly number[]
}

const ways: readonly ((bytes: Buffer) => unknown)[] = [
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
  const largeMs: number[] = []
  const smallUs: number[] = []
  for (let turn = 0; turn < ways.length; turn++) {
    const index = (first + turn) % ways.length
    const way = ways[index] as (bytes: Buffer) => unknown
    largeMs[index] = await timeOf(repeats, () => way(large))
    smallUs[index] = ((await timeOf(repeats, () => decodeOften(way, small, smallDecodes))) / smallDecodes) * 1_000
  }
  return { largeMs, smallUs }
}

async function timeOf(repeats: number, work: () => unknown): Promise<number> {
  await costOf(work)
  const timesMs: number[] = []
  for (let repeat = 0; repeat < repeats; repeat++) timesMs.push((await costOf(work)).cpuMs)
  return median(timesMs)
}

function decodeOften(way: (bytes: Buffer) => unknown, bytes: Buffer, times: number): void {
  for (let time = 0; time < times; time++) way(bytes)
}
