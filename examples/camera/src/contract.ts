/** What the camera offers: the one file that viewers share with it. */

import { contract, stream } from 'postern'
import { z } from 'zod'

const width = 1920
const height = 1080
/** Red, green, blue and opacity of each pixel. */
export const frameBytes: number = width * height * 4

export const camera = contract('camera', {
  frames: stream({
    params: z.object({ count: z.int().min(1), perSecond: z.int().min(1).max(1_000).default(60) }),
    yields: z.object({
      /** Where one is missing, the camera had to drop a frame. */
      sequence: z.int(),
      /** By the clock of this machine, as `nowMs` tells it. */
      takenMs: z.number(),
      pixels: z.custom<Uint8Array>((value) => value instanceof Uint8Array),
    }),
  }),
})

/** Milliseconds of a clock that all processes share. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now()
}
