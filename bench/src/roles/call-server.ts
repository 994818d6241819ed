/** Takes large calls and answers how much of the core it has used so far: Postern, or the thirty-line server. */

import { serve } from 'postern'
import { serveThirtyLine } from '../thirty-line-server.ts'
import { collectGarbage, cpuMs } from './cost.ts'
import { serveAs, type Stop } from './role.ts'

/** Who serves, and where. */
export interface CallServerTask {
  readonly server: 'postern' | 'thirty-line'
  readonly path: string
}

const maxCallBytes = 64 * 1024 * 1024

const handlers = {
  begin: (): number => {
    collectGarbage()
    return cpuMs()
  },
  store: (): number => cpuMs(),
}

await serveAs<CallServerTask>(({ server, path }) =>
  server === 'postern' ? servePostern(path) : serveThirtyLine(path, handlers),
)

async function servePostern(path: string): Promise<Stop> {
  const server = await serve(handlers, { at: `unix:${path}`, limits: { maxCallBytes } })
  return () => server.close()
}
