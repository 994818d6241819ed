/** A camera that there is not: it takes pictures of a test image. */

import { setTimeout } from 'node:timers/promises'
import { type Server, serve } from 'postern'
import { camera, frameBytes, nowMs } from './contract.ts'
import { drawTestImage } from './test-image.ts'

export function serveCamera(at: string): Promise<Server<typeof camera.members>> {
  return serve(
    camera,
    {
      async *frames({ count, perSecond }, ctx) {
        const frameMs = 1_000 / perSecond
        const startMs = performance.now()
        let sequence = -1
        for (let taken = 0; taken < count; taken++) {
          // A camera does not wait for who looks at its pictures.
          sequence = Math.max(sequence + 1, Math.floor((performance.now() - startMs) / frameMs))
          await setTimeout(startMs + sequence * frameMs - performance.now(), undefined, { signal: ctx.signal })
          const { bytes } = ctx.blob(frameBytes)
          drawTestImage(bytes, sequence)
          yield { sequence, takenMs: nowMs(), pixels: bytes }
        }
      },
    },
    { at },
  )
}
