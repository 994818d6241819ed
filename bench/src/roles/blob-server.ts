/** Takes large bytes and says how many came. */

import { serve } from 'postern'
import { collectGarbage } from './cost.ts'
import { serveAs } from './role.ts'

/** Where, and how large what comes may be. */
export interface BlobServerTask {
  readonly path: string
  readonly maxBytes: number
}

await serveAs<BlobServerTask>(async ({ path, maxBytes }) => {
  const limits = { maxCallBytes: maxBytes, maxBlobBytes: maxBytes, maxMappedBytes: 4 * maxBytes }
  const server = await serve({ begin: collectGarbage, take }, { at: `shm:${path}`, limits })
  return () => server.close()
})

/** They are there, and nobody has looked at them. */
function take(params: unknown): number {
  return (params as { readonly data: Uint8Array }).data.length
}
