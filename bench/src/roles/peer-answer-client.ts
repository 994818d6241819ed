/** Asks one peer for a large answer and says what it cost. */

import { loadPeer } from '../peers/all-peers.ts'
import { traceJson } from '../trace-json.ts'
import { type Cost, costOf } from './cost.ts'
import { measureAs } from './role.ts'

/** What to measure. */
export interface PeerAnswerClientTask {
  readonly peer: string
  readonly path: string
  readonly bytes: number
}

await measureAs<PeerAnswerClientTask>(measure)

async function measure({ peer, path, bytes }: PeerAnswerClientTask): Promise<Cost> {
  const client = await (await loadPeer(peer)).connect(path)
  // Of the server too, which prepares the value now.
  await client.call('trace', { bytes })
  let answer: unknown
  const cost = await costOf(async () => {
    answer = await client.call('trace', { bytes })
  })
  // Last, since an HTTP server closes a connection while its client is busy with this.
  if (JSON.stringify(answer) !== traceJson(bytes)) throw new Error(`an answer of ${bytes} bytes came back changed`)
  await client.close()
  return cost
}
