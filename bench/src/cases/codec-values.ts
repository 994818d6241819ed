/** What a value costs on its way to the bytes of a frame and back, and how many bytes these are. */

import { codecPayloads } from '../codec-payloads.ts'
import { type CodecWayName, codecWayNames } from '../codec-ways.ts'
import type { CodecCost, CodecValuesResult } from '../roles/codec-values.ts'
import { groupRows, type Measured, type Row } from '../table.ts'
import { type BenchCase, type CaseRun, type Contender, interleave, measureAlone } from './bench-case.ts'

export const codecValues: BenchCase = { name: 'codec-values', measure }

const module = new URL('../roles/codec-values.ts', import.meta.url)

/** In the order of the payloads: about a quarter of a second each. */
const fullTask = { largeMb: 1, times: [200_000, 3_000, 20, 20, 100], repeats: 3 }
const quickTask = { largeMb: 0.1, times: [100, 1, 1, 1, 1], repeats: 1 }

interface WayContender extends Contender<CodecValuesResult> {
  readonly ways: readonly CodecWayName[]
}

async function measure(run: CaseRun): Promise<Row[]> {
  const setting = run.settings[0] ?? 'free'
  const amounts = run.quick ? quickTask : fullTask
  // A process for each, so that none runs on code that another has made the compiler change its mind about.
  const processes = run.quick ? [codecWayNames] : codecWayNames.map((name) => [name])
  const contenders = processes.map((ways): WayContender => {
    const task = { ways, ...amounts }
    const sample = async (): Promise<CodecValuesResult> =>
      (await measureAlone({ module, task }, setting)) as CodecValuesResult
    return { name: ways.join(', '), setting, ways, sample }
  })
  const samples = await interleave(run, contenders)
  const results = contenders.flatMap((contender) =>
    contender.ways.map((name, index) => ({
      name,
      rounds: (samples.get(contender) ?? []).map((result) => result[index] ?? []),
    })),
  )
  run.note('encoding and decoding: time on a core, between a value and bytes; JSON takes bytes as base64 text')
  return codecPayloads(amounts.largeMb).flatMap(({ title }, payload) => {
    const measured = (key: keyof CodecCost): Measured[] =>
      results.map(({ name, rounds }) => ({ name, samples: rounds.map((costs) => costs[payload]?.[key] ?? Number.NaN) }))
    const base = codecWayNames[0]
    return [
      ...groupRows({ group: `encoding ${title}, ${setting}`, unit: 'us', base }, measured('encodeUs')),
      ...groupRows({ group: `decoding ${title}, ${setting}`, unit: 'us', base }, measured('decodeUs')),
      ...groupRows({ group: `frame of ${title}`, unit: 'bytes', base }, measured('frameBytes')),
    ]
  })
}
