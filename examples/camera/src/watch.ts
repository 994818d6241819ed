/** Looks at the frames of a camera, and counts. */

import { connect } from 'postern'
import { camera, nowMs } from './contract.ts'
import { isTestImage } from './test-image.ts'

export interface Watched {
  /** In the order of their arrival. */
  readonly sequences: readonly number[]
  readonly seconds: number
  /** Frames that came more than a frame's time after they were taken. */
  readonly late: number
  /** Frames that were not whole. */
  readonly damaged: number
  readonly pixelBytes: number
  /** What was written and read to hand them over; the pixels would be in it if they were copied. */
  readonly ringBytes: number
}

export async function watch(address: string, count: number, perSecond = 60): Promise<Watched> {
  let [ringBytes, pixelBytes, late, damaged] = [0, 0, 0, 0]
  const tap = {
    frame: (_: 'in' | 'out', { length }: Uint8Array | string) => void (ringBytes += length),
    close: () => {},
  }
  await using connection = await connect(`${address}?codec=msgpack`, camera, { tap })
  const sequences: number[] = []
  const startMs = nowMs()
  for await (const { sequence, takenMs, pixels } of connection.api.frames({ count, perSecond })) {
    if (nowMs() - takenMs > 1_000 / perSecond) late++
    if (!isTestImage(pixels, sequence)) damaged++
    pixelBytes += pixels.length
    sequences.push(sequence)
  }
  return { sequences, seconds: (nowMs() - startMs) / 1_000, late, damaged, pixelBytes, ringBytes }
}

/** One line about it. */
export function lineOf({ sequences, seconds, late, damaged, pixelBytes, ringBytes }: Watched): string {
  const dropped = (sequences.at(-1) ?? -1) + 1 - sequences.length
  const megabytes = Math.round(pixelBytes / 1e6).toLocaleString('en')
  const copied = ringBytes < pixelBytes / 1_000 ? 'no pixel was copied' : 'the pixels were copied'
  return (
    `${sequences.length} frames in ${seconds.toFixed(1)} s: ${(sequences.length / seconds).toFixed(1)} a second, ` +
    `${dropped} dropped, ${late} late, ${damaged} damaged; ` +
    `${megabytes} MB handed over, ${Math.ceil(ringBytes / 1e3)} KB through the ring: ${copied}`
  )
}
