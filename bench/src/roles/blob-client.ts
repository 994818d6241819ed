/** Gives bytes away in calls: as a blob that is handed over, or within the frame. */

import { type Connection, connect } from 'postern'
import { median } from '../stats.ts'
import { collectGarbage } from './cost.ts'
import { measureAs } from './role.ts'

/** What to measure. */
export interface BlobClientTask {
  readonly path: string
  readonly maxBytes: number
  /** Blobs, or bytes in the frame. */
  readonly handedOver: boolean
  readonly amounts: readonly BlobAmount[]
}

/** So many of one size, behind one that warms up. */
export interface BlobAmount {
  readonly bytes: number
  readonly count: number
}

/** Of each amount, the median of the time from the call to its answer, in microseconds. */
export type BlobResult = readonly number[]

const little = new Uint8Array(10)
/** Calls until the engine has compiled all that they run. */
const warmUp = 3_000

await measureAs<BlobClientTask>(measure)

async function measure({ path, maxBytes, handedOver, amounts }: BlobClientTask): Promise<BlobResult> {
  const limits = { maxBlobBytes: maxBytes, maxMappedBytes: maxBytes }
  const connection = await connect(`shm:${path}?codec=msgpack`, { limits })
  for (let turn = 0; turn < warmUp; turn++) await connection.call('take', { data: little })
  const medians: number[] = []
  for (const { bytes, count } of amounts) {
    const timesUs: number[] = []
    for (let turn = -1; turn < count; turn++) {
      const data = handedOver ? (await connection.blob(bytes)).bytes : new Uint8Array(bytes)
      // Every page of it: filling is not what is measured.
      data.fill(7)
      const tookUs = await give(connection, data)
      if (turn >= 0) timesUs.push(tookUs)
    }
    medians.push(median(timesUs))
  }
  await connection.close()
  return medians
}

async function give(connection: Connection, data: Uint8Array): Promise<number> {
  const { length } = data
  // What came before is given back now, and not while time is taken.
  collectGarbage()
  await connection.call('begin')
  // The first calls behind a collection find nothing in the caches.
  for (let turn = 0; turn < 20; turn++) await connection.call('take', { data: little })
  const start = performance.now()
  const taken = await connection.call('take', { data })
  const tookUs = (performance.now() - start) * 1_000
  if (taken !== length) throw new Error(`of ${length} bytes ${String(taken)} came`)
  return tookUs
}
