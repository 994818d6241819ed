import { expect, it, onTestFinished } from 'vitest'
import { connect } from '../app/connect.ts'
import { serve } from '../app/serve.ts'
import { contract } from '../service/contract.ts'
import { stream } from '../service/members.ts'

it('a stream that never waits leaves the event loop to others every 64 items', async () => {
  const numbers = contract('numbers', { up: stream() })
  let produced = 0
  const server = await serve(
    numbers,
    {
      *up() {
        while (produced < 1_000) yield ++produced
      },
    },
    { at: 'memory:starving' },
  )
  const connection = await connect('memory:starving', { limits: { maxBufferedItems: 2_000 } })
  onTestFinished(async () => {
    await connection.close()
    await server.close()
  })
  const subscription = connection.subscribe('numbers.subscribe', ['up'])
  await subscription.ready
  let last = produced
  while (produced < 1_000) {
    await new Promise((resolve) => setImmediate(resolve))
    expect(produced - last).toBeLessThanOrEqual(64)
    last = produced
  }
})
