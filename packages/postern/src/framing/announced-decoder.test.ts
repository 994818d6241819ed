import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { startedChannel } from '../../test/framed-channels.ts'
import { socketStreams } from '../../test/stream-pairs.ts'
import { resolveLimits } from '../core/limits.ts'
import { type ChannelHarness, channelContract } from '../testing/channel-contract.ts'
import { boundedJson } from './bounded-json.ts'
import { contentLength } from './content-length.ts'
import { framedChannel } from './framed-channel.ts'
import { lengthPrefix } from './length-prefix.ts'

const framings = [boundedJson(lengthPrefix), boundedJson(contentLength)]

describe('channel contract', () => {
  const harnesses = framings.flatMap((framing) =>
    socketStreams
      .filter(({ name }) => name === 'unix')
      .map(
        ({ open, ...harness }): ChannelHarness => ({
          ...harness,
          name: `unix with ${framing.name}`,
          open: async (given) => {
            const limits = resolveLimits(given)
            const { client, server } = await open()
            return {
              client: framedChannel(client, framing, { side: 'client', limits }),
              server: framedChannel(server, framing, { side: 'server', limits }),
            }
          },
        }),
      ),
  )
  for (const { title, run } of harnesses.flatMap(channelContract)) test(title, run)
})

describe('a peer who dribbles', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test.each([
    ['inside a prefix', lengthPrefix, '\u0000'],
    ['behind a prefix', lengthPrefix, '\u0000\u0000\u0000\u0005'],
    ['inside a frame', lengthPrefix, '\u0000\u0000\u0000\u0005{'],
    ['inside headers', contentLength, 'C'],
    ['behind headers', contentLength, 'Content-Length: 5\r\n\r\n'],
    ['inside a frame with headers', contentLength, 'Content-Length: 5\r\n\r\n{'],
  ])('FramedChannel cuts a peer who stops %s', (_, framing, start) => {
    const { stream, events, faults, progress } = startedChannel({ framing, limits: { frameProgressMs: 1_000 } })
    stream.deliver(start)
    expect(progress).toHaveLength(1)
    vi.advanceTimersByTime(999)
    expect(events).toEqual([])
    vi.advanceTimersByTime(1)
    expect(events).toEqual(['fault limit_exceeded'])
    expect(faults[0]?.message).toContain('limits.frameProgressMs (1000 ms)')
  })
})
