/** Holds connections that say nothing, and tells the memory that it uses: Postern, or the thirty-line server. */

import { serve } from 'postern'
import { handlers } from '../peers/peer.ts'
import { serveThirtyLine } from '../thirty-line-server.ts'
import { collectGarbage } from './cost.ts'
import { serveAs, type Stop } from './role.ts'

/** Who serves, and where. */
export interface IdleServerTask {
  readonly server: 'postern' | 'thirty-line'
  readonly path: string
  readonly maxConnections: number
}

/** What the server's process uses after its garbage was collected. */
export interface Memory {
  /** All of it that is in memory. */
  readonly rssBytes: number
  /** What JavaScript uses of it, with the buffers that lie outside its heap. */
  readonly heapBytes: number
}

const served = { echo: handlers.echo, memory: memoryInUse }

await serveAs<IdleServerTask>(({ server, path, maxConnections }) =>
  server === 'postern' ? servePostern(path, maxConnections) : serveThirtyLine(path, served),
)

async function servePostern(path: string, maxConnections: number): Promise<Stop> {
  const server = await serve(served, { at: `unix:${path}`, limits: { maxConnections } })
  return () => server.close()
}

function memoryInUse(): Memory {
  // What the first collection lets go of may hold buffers, which the second one frees.
  collectGarbage()
  collectGarbage()
  const { rss, heapUsed, external } = process.memoryUsage()
  return { rssBytes: rss, heapBytes: heapUsed + external }
}
