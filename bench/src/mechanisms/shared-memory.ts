/** Shared memory: its bytes alone, the channel over them, and both sides spinning before they sleep. */

import type { Stream } from '../../../packages/postern/src/core/stream.ts'
import { connectSharedMemory, listenSharedMemory } from '../../../packages/postern/src/transports/shared-memory.ts'
import { channelDefaults, framedLine, lineLimits as limits } from './channel-line.ts'
import type { Line, Mechanism } from './mechanism.ts'
import { streamLine } from './stream-line.ts'

/** How long a side that spins looks for an answer before it sleeps. */
export const spinUs = 50

export const sharedMemoryBytes = over('shm, bytes alone', 'bytes without messages', (_, stream) => streamLine(stream))
export const sharedMemory = over('channel, shm', channelDefaults, framedLine)
export const spinningSharedMemory = over(
  'channel, shm, spinning',
  `${channelDefaults}; spinUs=${spinUs} at both sides`,
  framedLine,
  spinUs,
)

function over(
  name: string,
  defaults: string,
  line: (side: 'server' | 'client', stream: Stream) => Line,
  spinning = 0,
): Mechanism {
  const options = { limits, spinUs: spinning }
  return {
    name,
    defaults,
    async listen(path, onLine) {
      const onStream = (stream: Stream): void => onLine(line('server', stream))
      const listener = await listenSharedMemory(path, { ...options, onStream })
      return () => listener.close()
    },
    connect: async (path) => line('client', await connectSharedMemory(path, options)),
  }
}
