/** Writes one large message after the other through shared memory, to whom it is told to, until it is killed. */

import { resolveLimits } from '../../src/core/limits.ts'
import type { Stream } from '../../src/core/stream.ts'
import { framedChannel } from '../../src/framing/framed-channel.ts'
import { lengthPrefix } from '../../src/framing/length-prefix.ts'
import { connectSharedMemory, listenSharedMemory } from '../../src/transports/shared-memory.ts'
import { largeMessage } from './large-messages.ts'
import { takeOrders } from './orders.ts'

/** What the program is told: which side it is, and where. */
export interface WriterOrder {
  readonly side: 'server' | 'client'
  readonly path: string
  readonly portable: boolean
}

/** One message makes the queue full, so that the next is made when it has left. */
const limits = resolveLimits({ maxQueuedBytes: 1 })

function writeOn(stream: Stream, side: WriterOrder['side']): void {
  const channel = framedChannel(stream, lengthPrefix, { side, limits })
  let sent = 0
  const sendNext = (): void => channel.send(largeMessage(sent++))
  channel.start({
    frame: () => undefined,
    fault: (error) => {
      throw error
    },
    drain: sendNext,
    end: () => undefined,
    close: () => undefined,
  })
  sendNext()
}

takeOrders<WriterOrder>(async ({ side, path, portable }) => {
  if (side === 'client') writeOn(await connectSharedMemory(path, { limits, portable }), side)
  else await listenSharedMemory(path, { limits, portable, onStream: (stream) => writeOn(stream, side) })
  return null
})
