import { describe, it } from 'vitest'
import { resolveLimits } from '../../src/core/limits.ts'
import { framedChannel } from '../../src/framing/framed-channel.ts'
import { jsonStream } from '../../src/framing/json-stream.ts'
import { newline } from '../../src/framing/newline.ts'
import { channelContract } from '../../src/testing/channel-contract.ts'
import { streamContract } from '../../src/testing/stream-contract.ts'
import { openSpawned } from '../spawned-streams.ts'

describe.each(['socket', 'stdio'] as const)('a spawned program over %s', (over) => {
  const name = `spawn over ${over}`
  for (const { title, run } of streamContract({ name, open: () => openSpawned(over) })) it(`as Stream: ${title}`, run)

  const open: Parameters<typeof channelContract>[0]['open'] = async (given) => {
    const limits = resolveLimits(given)
    const streams = await openSpawned(over)
    return {
      client: framedChannel(streams.client, newline, { side: 'client', limits }),
      server: framedChannel(streams.server, jsonStream, { side: 'server', limits }),
    }
  }
  for (const { title, run } of channelContract({ name, open })) it(`as Channel: ${title}`, run)
})
