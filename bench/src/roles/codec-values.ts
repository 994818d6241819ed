/** What encoding and decoding cost, on a core, for each payload. */

import { isDeepStrictEqual } from 'node:util'
import {
  type Attachment,
  asText,
  type CodecPayload,
  codecPayloads,
  fromText,
  type TextAttachment,
} from '../codec-payloads.ts'
import { type CodecWay, type CodecWayName, loadCodecWay } from '../codec-ways.ts'
import { median } from '../stats.ts'
import { costOf } from './cost.ts'
import { measureAs } from './role.ts'

/** What to measure. */
export interface CodecValuesTask {
  readonly ways: readonly CodecWayName[]
  readonly largeMb: number
  /** How often each payload is encoded and decoded in one turn, in the order of the payloads. */
  readonly times: readonly number[]
  readonly repeats: number
}

/** For one payload; times are microseconds. */
export interface CodecCost {
  readonly frameBytes: number
  readonly encodeUs: number
  readonly decodeUs: number
}

/** Of each way, for each payload. */
export type CodecValuesResult = readonly (readonly CodecCost[])[]

await measureAs<CodecValuesTask>(measure)

async function measure({ ways, largeMb, times, repeats }: CodecValuesTask): Promise<CodecValuesResult> {
  const results: CodecCost[][] = []
  for (const name of ways) {
    const way = await loadCodecWay(name)
    const costs: CodecCost[] = []
    for (const [index, payload] of codecPayloads(largeMb).entries()) {
      costs.push(await costsOf(wayFor(payload, way), payload, { times: times[index] ?? 1, repeats }))
    }
    results.push(costs)
  }
  return results
}

function wayFor({ bytes }: CodecPayload, way: CodecWay): CodecWay {
  if (bytes !== true || way.textOnly !== true) return way
  return {
    encode: (value) => way.encode(asText(value as Attachment)),
    decode: (frame) => fromText(way.decode(frame) as TextAttachment),
  }
}

interface Amount {
  readonly times: number
  readonly repeats: number
}

async function costsOf(way: CodecWay, { title, value }: CodecPayload, amount: Amount): Promise<CodecCost> {
  // A library may write the next frame over this one.
  const frame = Buffer.from(way.encode(value))
  if (!isSame(way.decode(frame), value)) throw new Error(`${title} did not come back as it was`)
  return {
    frameBytes: frame.length,
    encodeUs: await timeEach(() => way.encode(value), amount),
    decodeUs: await timeEach(() => way.decode(frame), amount),
  }
}

/** A turn to warm up, and then the median of the others. */
async function timeEach(work: () => unknown, { times, repeats }: Amount): Promise<number> {
  const turnsUs: number[] = []
  repeat(work, times)
  while (turnsUs.length < repeats) {
    const { cpuMs } = await costOf(() => repeat(work, times))
    turnsUs.push((cpuMs / times) * 1_000)
  }
  return median(turnsUs)
}

function repeat(work: () => unknown, times: number): void {
  for (let time = 0; time < times; time++) work()
}

/** Bytes may be of another kind than they were. */
function isSame(decoded: unknown, value: object): boolean {
  return isDeepStrictEqual(plain(decoded as object), plain(value))
}

function plain(value: object): object {
  return 'data' in value ? { ...value, data: Buffer.from(value.data as Uint8Array) } : value
}
