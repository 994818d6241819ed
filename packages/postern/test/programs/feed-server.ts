/** Serves `feed` at the address of its order: a tick each millisecond, and numbers as fast as they are taken in portions. */

import { setTimeout as pause } from 'node:timers/promises'
import { serve } from '../../src/index.ts'
import { feed } from './feed.ts'
import { takeOrders } from './orders.ts'

interface Order {
  readonly address: string
}

takeOrders(async ({ address }: Order) => {
  const server = await serve(
    feed,
    {
      async *numbers({ from }) {
        for (let number = from; ; number++) {
          yield number
          if (number % 16 === 0) await pause(1)
        }
      },
      echo: (value) => value,
      block: ({ ms }) => {
        const end = performance.now() + ms
        while (performance.now() < end);
      },
      connections: (): number => server.connections,
    },
    { at: address },
  )
  let count = 0
  setInterval(() => server.emit.tick({ life: process.pid, count: ++count }), 1)
  return process.pid
})
