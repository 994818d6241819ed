import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { endOfTick } from '../../test/fake-stream.ts'
import { openChannel, startedChannel } from '../../test/framed-channels.ts'
import { PosternError } from '../core/errors.ts'
import type { FrameDecoder, Framing } from './framing.ts'
import { jsonStream } from './json-stream.ts'
import { newline } from './newline.ts'
import { QueueBudget } from './queue-budget.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('receiving', () => {
  test('FramedChannel starts its stream when it is started, and calls back only then', () => {
    const { stream, channel } = openChannel()
    expect(stream.calls).toEqual([])
    const events: string[] = []
    const note = (name: string) => () => void events.push(name)
    channel.start({
      frame: note('frame'),
      fault: note('fault'),
      drain: note('drain'),
      end: note('end'),
      close: note('close'),
    })
    expect(stream.calls).toEqual(['start'])
    expect(events).toEqual([])
    expect(channel.peer).toBe(stream.peer)
  })

  test('FramedChannel gives out the frames of a chunk in order, from any kind of byte array', () => {
    const { stream, events } = startedChannel()
    const chunk = new Uint8Array(Buffer.from('xx{"a":1}{"b":2}{"c"'))
    stream.deliver(chunk.subarray(2), ':3}')
    expect(events).toEqual(['frame {"a":1}', 'frame {"b":2}', 'frame {"c":3}'])
  })

  test('FramedChannel tells of the progress of a frame that is not whole', () => {
    const { stream, events, progress } = startedChannel()
    stream.deliver('{"id":1,', '"result":"', `${'x'.repeat(200)}`, '"}', '{"id":2}')
    expect(progress.map(([, bytes]) => bytes)).toEqual([8, 18, 218])
    expect(progress.map(([head]) => head.slice(0, 18))).toEqual([
      '{"id":1,',
      '{"id":1,"result":"',
      '{"id":1,"result":"',
    ])
    expect(events).toHaveLength(2)
  })

  test.each([
    ['server', 'maxCallBytes', 'call'],
    ['client', 'maxAnswerBytes', 'answer'],
  ] as const)('FramedChannel of a %s bounds its frames by limits.%s', (side, name, what) => {
    const { stream, events, faults } = startedChannel({ side, limits: { [name]: 20 } })
    stream.deliver(`{"x":"${'x'.repeat(12)}"}\n`, `{"x":"${'x'.repeat(13)}"}\n`, '{}\n')
    expect(events).toEqual([`frame {"x":"${'x'.repeat(12)}"}`, 'fault frame_too_large'])
    expect(faults[0]?.sentence).toBe(`${what} of at least 21 bytes exceeds limits.${name} (20)`)
  })

  test('FramedChannel bounds nesting and containers at a server, not at a client', () => {
    const deep = '['.repeat(65) + ']'.repeat(65)
    const wide = `[${'[],'.repeat(20)}[]]`
    const server = startedChannel({ limits: { maxContainers: 20 } })
    server.stream.deliver(deep)
    expect(server.faults[0]?.details).toEqual({ limit: 'maxContainers', value: 20 })
    const otherServer = startedChannel()
    otherServer.stream.deliver(deep)
    expect(otherServer.faults[0]?.details).toEqual({ limit: 'maxDepth', value: 64 })
    for (const framing of [jsonStream, newline]) {
      const client = startedChannel({ side: 'client', framing, limits: { maxContainers: 20 } })
      client.stream.deliver(`${deep}\n${wide}\n`)
      expect(client.events).toEqual([`frame ${deep}`, `frame ${wide}`])
    }
  })

  test('FramedChannel tells of a fault once, receives nothing after it, and still sends', async () => {
    const { channel, stream, events } = startedChannel()
    stream.deliver('{"a":1} oops {"b":2}', '{"c":3}', 'oops')
    expect(events).toEqual(['frame {"a":1}', 'fault bad_frame'])
    channel.send('{"error":1}')
    await endOfTick()
    expect(stream.written).toBe('{"error":1}\n')
    stream.deliverEnd()
    stream.deliverClose()
    expect(events).toEqual(['frame {"a":1}', 'fault bad_frame', 'end', 'close'])
  })

  test('FramedChannel takes for a fault what another copy of the package throws', async () => {
    const copy = (await import(`${'../core/errors.ts'}?copy`)) as typeof import('../core/errors.ts')
    const foreign = framingThat(() => {
      throw new copy.PosternError('bad_frame', 'made up')
    })
    const { stream, events } = startedChannel({ framing: foreign })
    stream.deliver('x')
    expect(events).toEqual(['fault bad_frame'])
  })

  test('FramedChannel lets a defect be seen, and receives nothing after it', () => {
    const broken = framingThat(() => {
      throw new RangeError('a defect')
    })
    const { stream, events } = startedChannel({ framing: broken })
    expect(() => stream.deliver('x')).toThrow(RangeError)
    stream.deliver('x')
    expect(events).toEqual([])
  })

  test('FramedChannel delivers no frame after an abort, though the chunk has more', () => {
    const { stream, events } = startedChannel({ handlers: (channel) => ({ frame: () => channel.abort() }) })
    stream.deliver('{"a":1}{"b":2} oops', '{"c":3}')
    expect(events).toEqual(['frame {"a":1}'])
    stream.deliverClose()
    expect(events).toEqual(['frame {"a":1}', 'close'])
  })

  test('FramedChannel waits for nothing after an abort, though the chunk has half a frame more', () => {
    const { stream, events, progress } = startedChannel({ handlers: (channel) => ({ frame: () => channel.abort() }) })
    stream.deliver('{"a":1}{"half"')
    expect(vi.getTimerCount()).toBe(0)
    expect([events, progress]).toEqual([['frame {"a":1}'], []])
  })
})

/** A framing whose decoder does this with each chunk. */
function framingThat(push: FrameDecoder['push']): Framing {
  const decoder: FrameDecoder = {
    pendingBytes: 0,
    head: () => Buffer.alloc(0),
    push,
    undecided: false,
    quiet: () => undefined,
    end: () => undefined,
  }
  return { name: 'made up', decoder: () => decoder, encode: () => [] }
}

describe('frames that come slowly', () => {
  test('FramedChannel cuts who sends no byte inside a frame for frameProgressMs', () => {
    const { stream, events, faults } = startedChannel({ limits: { frameProgressMs: 1_000 } })
    stream.deliver('{"a":1}{"b"')
    vi.advanceTimersByTime(999)
    expect(events).toEqual(['frame {"a":1}'])
    vi.advanceTimersByTime(1)
    expect(events).toEqual(['frame {"a":1}', 'fault limit_exceeded'])
    expect(faults[0]).toMatchObject({
      sentence: 'no byte inside a frame for limits.frameProgressMs (1000 ms)',
      details: { limit: 'frameProgressMs', value: 1_000 },
    })
    expect(vi.getTimerCount()).toBe(0)
  })

  test('FramedChannel gives frameProgressMs again with every byte, and sets no timer between frames', () => {
    const { stream, events } = startedChannel({ limits: { frameProgressMs: 1_000 } })
    for (const byte of '{"slow":true') {
      stream.deliver(byte)
      vi.advanceTimersByTime(999)
    }
    expect(events).toEqual([])
    stream.deliver('}')
    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(1_000_000)
    expect(events).toEqual(['frame {"slow":true}'])
  })

  test('FramedChannel does not count white space between frames as part of one', () => {
    const { stream } = startedChannel({ limits: { frameProgressMs: 1_000 } })
    stream.deliver('{"a":1}', ' \n', '   ')
    expect(vi.getTimerCount()).toBe(0)
  })

  test.each(['abort', 'end', 'close'])('FramedChannel leaves no timer after the %s', (way) => {
    const { channel, stream } = startedChannel({ side: 'client' })
    stream.deliver('{"half":{}')
    expect(vi.getTimerCount()).toBe(2)
    if (way === 'abort') channel.abort()
    else if (way === 'end') stream.deliverEnd()
    else stream.deliverClose()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('values without a newline', () => {
  test('FramedChannel of a client takes a whole value when the stream falls quiet', () => {
    const { stream, events } = startedChannel({ side: 'client' })
    stream.deliver('{"id":1,', '"result":{}}')
    expect(events).toEqual([])
    vi.advanceTimersByTime(5)
    expect(events).toEqual(['frame {"id":1,"result":{}}'])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('FramedChannel waits for quiet anew with each chunk, and not where no value can end', () => {
    const { stream, events } = startedChannel({ side: 'client' })
    for (const chunk of ['{"list":[{}', ',{}', ',{}', ']}']) {
      stream.deliver(chunk)
      vi.advanceTimersByTime(4)
    }
    expect(events).toEqual([])
    vi.advanceTimersByTime(1)
    expect(events).toEqual(['frame {"list":[{},{},{}]}'])
    stream.deliver('{"next":')
    vi.advanceTimersByTime(1_000)
    expect(events).toHaveLength(1)
  })

  test('FramedChannel still cuts who goes silent inside a value that only seemed whole', () => {
    const { stream, events } = startedChannel({ side: 'client', limits: { frameProgressMs: 1_000 } })
    stream.deliver('{"list":[{}')
    vi.advanceTimersByTime(999)
    expect(events).toEqual([])
    vi.advanceTimersByTime(1)
    expect(events).toEqual(['fault limit_exceeded'])
  })

  test('FramedChannel tells of a fault that shows when the stream falls quiet', () => {
    const { stream, events } = startedChannel({ side: 'client' })
    stream.deliver('{"a":1} bye }')
    vi.advanceTimersByTime(5)
    expect(events).toEqual(['frame {"a":1}', 'fault bad_frame'])
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('sending', () => {
  test('FramedChannel sends all frames of a tick in one write', async () => {
    const { channel, stream } = startedChannel()
    channel.send('{"a":1}')
    channel.send(Buffer.from('{"b":2}'))
    channel.send('{"c":3}')
    expect(stream.writes).toEqual([])
    await endOfTick()
    expect(stream.writes.map(String)).toEqual(['{"a":1}\n{"b":2}\n{"c":3}\n'])
    expect([channel.sentFrames, channel.writtenFrames]).toEqual([3, 3])
  })

  test('FramedChannel says when it is full, and when it has room again', async () => {
    const { channel, stream, events } = startedChannel({ limits: { maxQueuedBytes: 100 } })
    stream.takes = false
    channel.send('first')
    await endOfTick()
    channel.send('x'.repeat(100))
    expect(channel.full).toBe(true)
    expect([channel.sentFrames, channel.writtenFrames]).toEqual([2, 1])
    stream.drain(false)
    expect(channel.full).toBe(false)
    expect(events).toEqual(['drain'])
    expect([channel.sentFrames, channel.writtenFrames]).toEqual([2, 2])
    channel.abort()
  })

  test('FramedChannel cuts a peer that reads nothing, naming the limit', async () => {
    const { channel, stream, events } = startedChannel({ limits: { stallMs: 300 } })
    stream.takes = false
    channel.send('first')
    await endOfTick()
    vi.advanceTimersByTime(300)
    expect(stream.calls).toEqual(['start', 'abort'])
    expect(stream.abortReason).toMatchObject({ code: 'slow_consumer', details: { limit: 'stallMs', value: 300 } })
    stream.deliver('{"a":1}')
    stream.deliverClose(stream.abortReason)
    expect(events).toEqual(['close slow_consumer'])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('FramedChannel cuts the slowest of all when the queues of a server hold too much', async () => {
    const budget = new QueueBudget(1_000)
    const channels = await Promise.all(
      [0, 1].map(async () => {
        const opened = startedChannel({ budget })
        opened.stream.takes = false
        opened.channel.send('first')
        await endOfTick()
        vi.advanceTimersByTime(1)
        return opened
      }),
    )
    for (const { channel } of channels) channel.send('x'.repeat(501))
    expect(channels.map(({ stream }) => stream.abortReason?.code)).toEqual(['slow_consumer', undefined])
    channels[1]?.channel.abort()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('the end', () => {
  test('FramedChannel ends its half behind what is queued, and goes on receiving', async () => {
    const { channel, stream, events } = startedChannel()
    channel.send('{"a":1}')
    channel.end()
    channel.end()
    channel.send('{"too":"late"}')
    await endOfTick()
    expect(stream.written).toBe('{"a":1}\n')
    expect(stream.calls).toEqual(['start', 'end'])
    stream.deliver('{"b":2}')
    stream.deliverEnd()
    stream.deliverClose()
    expect(events).toEqual(['frame {"b":2}', 'end', 'close'])
  })

  test('FramedChannel tells of the end of the other side, and still sends', async () => {
    const { channel, stream, events } = startedChannel()
    stream.deliver('{"a":1}')
    stream.deliverEnd()
    expect(events).toEqual(['frame {"a":1}', 'end'])
    channel.send('{"b":2}')
    await endOfTick()
    expect(stream.written).toBe('{"b":2}\n')
  })

  test('FramedChannel gives out a value without its newline at the end', () => {
    const { stream, events } = startedChannel({ side: 'client' })
    stream.deliver('{"a":1}')
    stream.deliverEnd()
    expect(events).toEqual(['frame {"a":1}', 'end'])
  })

  test.each(['server', 'client'] as const)('FramedChannel of a %s tells of half a frame before the end', (side) => {
    const { stream, events, faults } = startedChannel({ side })
    stream.deliver('{"a":1}\n{"b"')
    stream.deliverEnd()
    expect(events).toEqual(['frame {"a":1}', 'fault closed', 'end'])
    expect(faults[0]?.sentence).toBe('the other side ended inside a frame, after 4 bytes of it')
  })

  test('FramedChannel aborts its stream with the reason, and drops what is queued', async () => {
    const { channel, stream, events } = startedChannel()
    const reason = new PosternError('cancelled', 'made up')
    channel.send('{"a":1}')
    channel.abort(reason)
    await endOfTick()
    expect(stream.writes).toEqual([])
    expect(stream.abortReason).toBe(reason)
    expect(events).toEqual([])
    stream.deliver('{"b":2}')
    stream.deliverClose(reason)
    expect(events).toEqual(['close cancelled'])
  })

  test('FramedChannel closes once, last, and then does nothing', async () => {
    const { channel, stream, events } = startedChannel({ limits: { maxQueuedFrames: 1 } })
    stream.takes = false
    channel.send('first')
    channel.send('second')
    await endOfTick()
    stream.deliver('{"half":')
    stream.deliverClose(new PosternError('closed', 'made up'))
    stream.deliverClose()
    stream.deliver('{"a":1}')
    stream.drain()
    stream.deliverEnd()
    channel.send('{"b":2}')
    channel.end()
    await endOfTick()
    vi.advanceTimersByTime(1_000_000)
    expect(events.slice(-1)).toEqual(['close closed'])
    expect(events.filter((event) => event.startsWith('close'))).toHaveLength(1)
    expect(stream.writes).toHaveLength(1)
    expect(channel.full).toBe(false)
  })
})
