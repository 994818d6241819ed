import { describe, it, vi } from 'vitest'
import { resolveLimits } from '../../src/core/limits.ts'
import { framedChannel } from '../../src/framing/framed-channel.ts'
import { jsonStream } from '../../src/framing/json-stream.ts'
import { newline } from '../../src/framing/newline.ts'
import { type ChannelHarness, channelContract } from '../../src/testing/channel-contract.ts'
import { type StreamHarness, streamContract } from '../../src/testing/stream-contract.ts'
import { memoryPair } from '../../src/transports/memory.ts'
import { socketStreams } from '../stream-pairs.ts'
import { openAcrossThreads, openPorts } from '../worker-channels.ts'

vi.mock('node:worker_threads', async () => await import('../typescript-worker.ts'))

const memory: ChannelHarness = {
  name: 'memory',
  open: async (given) => {
    const limits = resolveLimits(given)
    const [client, server] = memoryPair(
      { limits, maxFrameBytes: limits.maxAnswerBytes },
      { limits, maxFrameBytes: limits.maxCallBytes },
    )
    return { client, server }
  },
}

/** The channel that a client and a server make of a stream. */
function overStream({ open, ...harness }: StreamHarness): ChannelHarness {
  return {
    ...harness,
    open: async (given) => {
      const limits = resolveLimits(given)
      const streams = await open()
      return {
        client: framedChannel(streams.client, newline, { side: 'client', limits }),
        server: framedChannel(streams.server, jsonStream, { side: 'server', limits }),
      }
    },
  }
}

const ports: ChannelHarness = { name: 'message port', open: openPorts }
const threads: ChannelHarness = { name: 'message port to a worker', open: openAcrossThreads }

describe('Channel', () => {
  for (const { title, run } of [memory, ...socketStreams.map(overStream), ports, threads].flatMap(channelContract))
    it(title, run)
})

describe('Stream', () => {
  for (const { title, run } of socketStreams.flatMap(streamContract)) it(title, run)
})
