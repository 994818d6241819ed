/** Handing over a filled blob, of 1 KB to 256 MB, beside the same bytes in the frame of a call. */

import { readFileSync } from 'node:fs'
import type { Setting } from '../pinned.ts'
import type { BlobAmount, BlobResult } from '../roles/blob-client.ts'
import { groupRows, type Row, type Target } from '../table.ts'
import { type BenchCase, type CaseRun, type Contender, exposeGc, interleave, measurePair } from './bench-case.ts'
import { sizeOf } from './mechanism-contenders.ts'

export const mechanismBlobs: BenchCase = { name: 'mechanism-blobs', measure }

const serverModule = new URL('../roles/blob-server.ts', import.meta.url)
const clientModule = new URL('../roles/blob-client.ts', import.meta.url)

const fullAmounts: readonly BlobAmount[] = [
  { bytes: 1_000, count: 50 },
  { bytes: 64_000, count: 50 },
  { bytes: 1_000_000, count: 20 },
  { bytes: 64_000_000, count: 3 },
  { bytes: 256_000_000, count: 3 },
]
const quickAmounts: readonly BlobAmount[] = [
  { bytes: 1_000, count: 5 },
  { bytes: 4_000_000, count: 1 },
]

/** In a frame larger ones are not taken here. */
const mostFrameBytes = 64_000_000

/** The largest beside the smallest: a time that does not grow, but for what the clock tells apart. */
const target: Target = { sign: '<=', limit: 2 }

/** As a blob, the base, and in the frame. */
const ways = [
  { name: 'handed over', handedOver: true },
  { name: 'in the frame', handedOver: false },
] as const

interface BlobContender extends Contender<BlobResult> {
  readonly amounts: readonly BlobAmount[]
}

async function measure(run: CaseRun): Promise<Row[]> {
  const amounts = run.quick ? quickAmounts : fullAmounts
  const contenders = run.settings.flatMap((setting) => ways.map((way) => contend(run, { ...way, setting }, amounts)))
  const samples = await interleave(run, contenders)
  run.note('blobs: a call with codec=msgpack over shm:, from the call to its answer; filling is not in it')
  run.note(`blobs: huge pages for shared memory are set to ${hugePages()}; "never" means steps of 4 KiB`)
  return run.settings.flatMap((setting) => {
    const here = contenders.filter((contender) => contender.setting === setting)
    const taken = (contender: BlobContender, index: number): number[] =>
      (samples.get(contender) ?? []).map((medians) => medians[index] ?? Number.NaN)
    const bySize = amounts.map(({ bytes }, index) =>
      groupRows(
        { group: `call with ${sizeOf(bytes)}, ${setting}`, unit: 'us', base: ways[0].name },
        here
          .filter((contender) => index < contender.amounts.length)
          .map((contender) => ({ name: contender.name, samples: taken(contender, index) })),
      ),
    )
    return [...bySize.flat(), ...growthRows(here[0], taken, setting)]
  })
}

/** What Linux is set to; the word in brackets holds. */
function hugePages(): string {
  try {
    return (
      readFileSync('/sys/kernel/mm/transparent_hugepage/shmem_enabled', 'utf8').match(/\[(\w+)\]/)?.[1] ?? 'nothing'
    )
  } catch {
    return 'nothing'
  }
}

/** What a blob costs by its size. */
function growthRows(
  blobs: BlobContender | undefined,
  taken: (contender: BlobContender, index: number) => number[],
  setting: Setting,
): Row[] {
  if (blobs === undefined) return []
  const { amounts } = blobs
  return groupRows(
    { group: `blob handed over, by its size, ${setting}`, unit: 'us', base: sizeOf(amounts[0]?.bytes ?? 0) },
    amounts.map(({ bytes }, index) => ({
      name: sizeOf(bytes),
      samples: taken(blobs, index),
      target: index === amounts.length - 1 ? target : undefined,
    })),
  )
}

function contend(
  run: CaseRun,
  { name, handedOver, setting }: (typeof ways)[number] & { readonly setting: Setting },
  all: readonly BlobAmount[],
): BlobContender {
  const amounts = handedOver ? all : all.filter(({ bytes }) => bytes <= mostFrameBytes)
  // A frame is a little longer than the bytes in it.
  const maxBytes = 2 * Math.max(...all.map(({ bytes }) => bytes))
  const pair = {
    setting,
    server: { module: serverModule, task: { maxBytes } },
    client: { module: clientModule, task: { maxBytes, handedOver, amounts } },
    nodeArgs: exposeGc,
  }
  return { name, setting, amounts, sample: async () => (await measurePair(run, pair)) as BlobResult }
}
