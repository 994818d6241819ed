/** Echoes small calls at an address. */

import { serve } from 'postern'
import { serveAs } from './role.ts'

/** Where: an address, but for its path. */
export interface EchoCallServerTask {
  readonly scheme: string
  readonly path: string
  readonly parameters: string
}

await serveAs<EchoCallServerTask>(async ({ scheme, path, parameters }) => {
  const server = await serve({ echo: (params: unknown) => params }, { at: `${scheme}:${path}${parameters}` })
  return () => server.close()
})
