import { describe, it, onTestFinished, vi } from 'vitest'
import { resolveLimits } from '../../src/core/limits.ts'
import type { Stream } from '../../src/core/stream.ts'
import { framedChannel } from '../../src/framing/framed-channel.ts'
import { jsonStream } from '../../src/framing/json-stream.ts'
import { newline } from '../../src/framing/newline.ts'
import { type ChannelHarness, channelContract } from '../../src/testing/channel-contract.ts'
import { type StreamPair, streamContract } from '../../src/testing/stream-contract.ts'
import { memoryPair } from '../../src/transports/memory.ts'
import { connectUnixSocket, listenUnixSocket } from '../../src/transports/unix-socket.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { openAcrossThreads, openPorts } from '../worker-channels.ts'

vi.mock('node:worker_threads', async () => await import('../typescript-worker.ts'))

async function openUnix(): Promise<StreamPair> {
  const path = `${await temporaryDirectory()}/s`
  const limits = resolveLimits()
  let accept: (stream: Stream) => void = () => undefined
  const accepted = new Promise<Stream>((resolve) => {
    accept = resolve
  })
  const listener = await listenUnixSocket(path, { limits, onStream: (stream) => accept(stream) })
  onTestFinished(() => listener.close())
  const client = await connectUnixSocket(path, { limits })
  return { client, server: await accepted }
}

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

const unix: ChannelHarness = {
  name: 'unix',
  open: async (given) => {
    const limits = resolveLimits(given)
    const streams = await openUnix()
    return {
      client: framedChannel(streams.client, newline, { side: 'client', limits }),
      server: framedChannel(streams.server, jsonStream, { side: 'server', limits }),
    }
  },
}

const ports: ChannelHarness = { name: 'message port', open: openPorts }
const threads: ChannelHarness = { name: 'message port to a worker', open: openAcrossThreads }

describe('Channel', () => {
  for (const { title, run } of [memory, unix, ports, threads].flatMap(channelContract)) it(title, run)
})

describe('Stream', () => {
  for (const { title, run } of streamContract({ name: 'unix', open: openUnix })) it(title, run)
})
