/** Serves `flow` at the address of its order, and counts what it holds of the items for its first connection. */

import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { serve } from '../../src/index.ts'
import { flow, itemText, work } from './flow.ts'
import { takeOrders } from './orders.ts'

interface Order {
  readonly address: string
}

let socket: Socket | undefined
subscribe('net.server.socket', (message) => {
  socket ??= (message as { readonly socket: Socket }).socket
})

let frameBytes = 0
let produced = 0
let peakHeld = 0

/** One more is about to be sent. What the socket has not handed to the kernel is ours as well. */
function produce(): void {
  produced++
  if (socket === undefined || frameBytes === 0) return
  const left = Math.floor((socket.bytesWritten - socket.writableLength) / frameBytes)
  peakHeld = Math.max(peakHeld, produced - left)
}

takeOrders(async ({ address }: Order) => {
  await serve(
    flow,
    {
      *items({ count }) {
        for (let number = 1; number <= count; number++) {
          work(1)
          produce()
          yield itemText(number)
        }
      },
      figures: () => ({ produced, peakHeld, frameBytes, maxRssBytes: process.resourceUsage().maxRSS * 1024 }),
    },
    {
      at: address,
      tap: {
        frame: (direction, frame) => {
          // And the newline.
          if (frameBytes === 0 && direction === 'out' && String(frame).includes('flow.subscription'))
            frameBytes = frame.length + 1
        },
        close: () => undefined,
      },
    },
  )
})
