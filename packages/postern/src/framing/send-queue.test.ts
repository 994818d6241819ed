import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { endOfTick } from '../../test/fake-stream.ts'
import { blockedQueue, openQueue } from '../../test/send-queues.ts'
import type { Framing } from './framing.ts'
import { newline } from './newline.ts'
import { QueueBudget } from './queue-budget.ts'
import type { SendQueue } from './send-queue.ts'

const slice = 64 * 1024

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})

afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

describe('writes', () => {
  test('SendQueue writes nothing within add, and all frames of a tick at once', async () => {
    const { queue, stream } = openQueue()
    for (let n = 0; n < 100; n++) queue.add(`{"n":${n}}`)
    expect(stream.writes).toEqual([])
    await endOfTick()
    expect(stream.writes).toHaveLength(1)
    expect(stream.written).toBe(Array.from({ length: 100 }, (_, n) => `{"n":${n}}\n`).join(''))
    queue.add('{}')
    await endOfTick()
    expect(stream.writes).toHaveLength(2)
  })

  test('SendQueue writes frames of bytes in one go too, and among text', async () => {
    const { queue, stream } = openQueue()
    for (let n = 0; n < 100; n++) queue.add(n % 3 === 0 ? `[${n}]` : Buffer.from(`[${n}]`))
    await endOfTick()
    expect(stream.writes).toHaveLength(1)
    expect(stream.written).toBe(Array.from({ length: 100 }, (_, n) => `[${n}]\n`).join(''))
  })

  test('SendQueue writes a large frame in slices, as long as the stream takes them', async () => {
    const { queue, stream } = openQueue()
    queue.add('x'.repeat(3 * slice))
    queue.add(Buffer.alloc(2 * slice, 'y'))
    queue.add('z')
    await endOfTick()
    expect(stream.writes.every((write) => write.length <= slice)).toBe(true)
    expect(stream.written).toBe(`${'x'.repeat(3 * slice)}\n${'y'.repeat(2 * slice)}\nz\n`)
    expect(queue.queuedBytes).toBe(0)
  })

  test.each([64 * 1024, 64 * 1024 + 1, 100_000, slice - 1, slice, slice + 1])(
    'SendQueue writes text of %d characters',
    async (length) => {
      for (const character of ['x', 'é', '日']) {
        const { queue, stream } = openQueue()
        queue.add(character.repeat(length))
        await endOfTick()
        expect(stream.writes.every((write) => write.length <= slice)).toBe(true)
        expect(stream.written === `${character.repeat(length)}\n`).toBe(true)
        expect(queue.queuedBytes).toBe(0)
      }
    },
  )

  test('SendQueue writes thousands of tiny frames of bytes in a few writes', async () => {
    const { queue, stream } = openQueue()
    for (let n = 0; n < 100_000; n++) queue.add(Buffer.from('[]'))
    await endOfTick()
    expect(stream.writes.length).toBeLessThanOrEqual(8)
    expect(stream.written).toBe('[]\n'.repeat(100_000))
  })

  test('SendQueue takes a framing that makes several pieces of a frame, or none', async () => {
    const framing: Framing = {
      ...newline,
      encode: (frames) =>
        frames.flatMap((frame) => (frame === '' ? [] : [Buffer.from('>'), Buffer.from(frame as string)])),
    }
    const { queue, stream } = openQueue({ framing })
    for (const frame of ['a', '', 'b', '']) queue.add(frame)
    await endOfTick()
    expect(stream.writes.map(String)).toEqual(['>a>b'])
    queue.add('')
    await endOfTick()
    expect(stream.writes).toHaveLength(1)
    expect([queue.sentFrames, queue.writtenFrames]).toEqual([5, 5])
  })
})

describe('back-pressure', () => {
  test('SendQueue stops writing when the stream asks to wait, and goes on when it drains', async () => {
    const { queue, stream } = openQueue()
    stream.takes = false
    queue.add('x'.repeat(3 * slice))
    await endOfTick()
    expect(stream.writes).toHaveLength(1)
    queue.add('late')
    await endOfTick()
    expect(stream.writes).toHaveLength(1)
    stream.drain(false)
    expect(stream.writes).toHaveLength(2)
    stream.drain()
    expect(stream.written).toBe(`${'x'.repeat(3 * slice)}\nlate\n`)
    queue.close()
  })

  test('SendQueue counts what is queued: text by its characters, then by its bytes', async () => {
    const { queue, stream } = await blockedQueue()
    queue.add('é'.repeat(1_000))
    queue.add(Buffer.alloc(500))
    expect(queue.queuedBytes).toBe(1_500)
    stream.drain(false)
    expect(queue.queuedBytes).toBe(0)
    queue.add('é'.repeat(slice))
    stream.drain(false)
    expect(queue.queuedBytes).toBe(2 * slice + 1 - slice)
    stream.drain(false)
    stream.drain()
    expect(queue.queuedBytes).toBe(0)
  })

  test('SendQueue counts frames sent, and frames of which a byte may have been written', async () => {
    const { queue, stream } = await blockedQueue()
    expect([queue.sentFrames, queue.writtenFrames]).toEqual([1, 1])
    for (let n = 0; n < 4; n++) queue.add('x'.repeat(slice / 2))
    expect([queue.sentFrames, queue.writtenFrames]).toEqual([5, 1])
    stream.drain(false)
    expect([queue.sentFrames, queue.writtenFrames]).toEqual([5, 3])
    stream.drain(false)
    expect([queue.sentFrames, queue.writtenFrames]).toEqual([5, 3])
    stream.drain(false)
    expect([queue.sentFrames, queue.writtenFrames]).toEqual([5, 5])
    queue.close()
  })

  test.each([
    ['maxQueuedBytes', 1_000, [999, 1]],
    ['maxQueuedFrames', 3, [1, 1, 1]],
  ] as const)('SendQueue is full at limits.%s and drains once below it', async (name, value, sizes) => {
    const { queue, stream, onDrain } = await blockedQueue({ limits: { [name]: value } })
    for (const size of sizes) {
      expect(queue.full).toBe(false)
      queue.add('x'.repeat(size))
    }
    expect(queue.full).toBe(true)
    expect(onDrain).not.toHaveBeenCalled()
    stream.drain(false)
    expect(queue.full).toBe(false)
    expect(onDrain).toHaveBeenCalledOnce()
    stream.drain()
    stream.drain()
    expect(onDrain).toHaveBeenCalledOnce()
  })

  test('SendQueue lets one frame of any size into an empty queue, and says when it has gone', async () => {
    const { queue, stream, onDrain } = openQueue({ limits: { maxQueuedBytes: 10 } })
    queue.add('x'.repeat(1_000))
    expect(queue.full).toBe(true)
    await endOfTick()
    expect(stream.written).toHaveLength(1_001)
    expect(queue.full).toBe(false)
    expect(onDrain).toHaveBeenCalledOnce()
  })

  test('SendQueue takes more frames than its limit from a user who does not look', async () => {
    const { queue, stream } = await blockedQueue({ limits: { maxQueuedFrames: 10 } })
    for (let n = 0; n < 100; n++) queue.add(`${n}`)
    expect(queue.full).toBe(true)
    stream.drain()
    expect(stream.written).toBe(`first\n${Array.from({ length: 100 }, (_, n) => `${n}\n`).join('')}`)
  })

  test('SendQueue keeps no frame that has left, while others wait', async () => {
    const { queue, stream } = await blockedQueue()
    const addFrame = weaklyKept(queue)
    const waiting = Array.from({ length: 10 }, addFrame)
    // A frame and its newline are two writes.
    for (let n = 0; n < 8; n++) stream.drain(false)
    stream.writes.length = 0
    await collectGarbage()
    expect(waiting.map((frame) => frame.deref() !== undefined)).toEqual([
      ...Array(4).fill(false),
      ...Array(6).fill(true),
    ])
    queue.close()
  })

  test('SendQueue keeps no frame that has left, though it never empties', async () => {
    const { queue, stream } = await blockedQueue()
    const addFrame = weaklyKept(queue)
    const all = Array.from({ length: 10 }, addFrame)
    for (let n = 0; n < 100; n++) {
      all.push(addFrame())
      stream.drain(false)
      stream.drain(false)
    }
    stream.writes.length = 0
    await collectGarbage()
    expect(all.filter((frame) => frame.deref() !== undefined)).toHaveLength(10)
    expect(queue.sentFrames - queue.writtenFrames).toBe(10)
    queue.close()
  })
})

/** Adds frames of a slice, of which only the queue keeps hold. */
function weaklyKept(queue: SendQueue): () => WeakRef<Uint8Array> {
  return () => {
    const frame = new Uint8Array(slice)
    queue.add(frame)
    return new WeakRef(frame)
  }
}

async function collectGarbage(): Promise<void> {
  // A weak reference holds until the end of the turn in which it was made or looked at.
  await new Promise((resolve) => {
    setImmediate(resolve)
  })
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}

describe('the peer that does not read', () => {
  test('SendQueue cuts it after stallMs without a byte', async () => {
    const { stream, stalls } = await blockedQueue({ limits: { stallMs: 500 } })
    vi.advanceTimersByTime(499)
    expect(stalls).toEqual([])
    vi.advanceTimersByTime(1)
    expect(stalls).toHaveLength(1)
    expect(stalls[0]).toMatchObject({
      code: 'slow_consumer',
      sentence: 'the peer read nothing for limits.stallMs (500)',
      details: { limit: 'stallMs', value: 500 },
    })
    stream.drain()
    expect(stalls).toHaveLength(1)
  })

  test('SendQueue gives it stallMs again whenever bytes have left', async () => {
    const { queue, stream, stalls } = await blockedQueue({ limits: { stallMs: 500 } })
    queue.add('x'.repeat(10 * slice))
    for (let n = 0; n < 8; n++) {
      vi.advanceTimersByTime(499)
      stream.drain(false)
    }
    expect(stalls).toEqual([])
    vi.advanceTimersByTime(500)
    expect(stalls).toHaveLength(1)
  })

  test('SendQueue forgets the stall when all has left, and counts anew', async () => {
    const { queue, stream, stalls } = await blockedQueue({ limits: { stallMs: 500 } })
    vi.advanceTimersByTime(499)
    stream.drain()
    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(10_000)
    stream.takes = false
    queue.add('again')
    await endOfTick()
    vi.advanceTimersByTime(499)
    expect(stalls).toEqual([])
    vi.advanceTimersByTime(1)
    expect(stalls).toHaveLength(1)
  })
})

describe('the end', () => {
  test('SendQueue sends what is queued, then ends the stream, once', async () => {
    const { queue, stream } = openQueue()
    queue.add('a')
    queue.end()
    queue.end()
    queue.add('too late')
    expect(stream.calls).toEqual(['start'])
    await endOfTick()
    expect(stream.written).toBe('a\n')
    expect(stream.calls).toEqual(['start', 'end'])
    stream.drain()
    queue.end()
    await endOfTick()
    expect(stream.calls).toEqual(['start', 'end'])
    expect(queue.sentFrames).toBe(1)
  })

  test('SendQueue ends an empty queue', async () => {
    const { queue, stream } = openQueue()
    queue.end()
    await endOfTick()
    expect(stream.calls).toEqual(['start', 'end'])
  })

  test('SendQueue ends behind a stall when the peer reads on', async () => {
    const { queue, stream } = await blockedQueue()
    queue.add('second')
    queue.end()
    await endOfTick()
    expect(stream.calls).toEqual(['start'])
    stream.drain(false)
    expect(stream.calls).toEqual(['start'])
    stream.drain()
    expect(stream.written).toBe('first\nsecond\n')
    expect(stream.calls).toEqual(['start', 'end'])
  })

  test('SendQueue drops all when it is closed, and writes nothing more', async () => {
    const { queue, stream, onDrain } = await blockedQueue({ limits: { maxQueuedFrames: 2 } })
    queue.add('second')
    queue.add('third')
    expect(queue.full).toBe(true)
    queue.close()
    expect([queue.queuedBytes, queue.full]).toEqual([0, false])
    queue.add('fourth')
    queue.end()
    stream.drain()
    await endOfTick()
    expect(stream.written).toBe('first\n')
    expect(stream.calls).toEqual(['start'])
    expect(onDrain).not.toHaveBeenCalled()
    expect(queue.sentFrames).toBe(3)
  })

  test('SendQueue writes nothing of a tick in which it was closed', async () => {
    const { queue, stream } = openQueue()
    queue.add('a')
    queue.close()
    await endOfTick()
    expect(stream.writes).toEqual([])
  })

  test('SendQueue writes no further slice when a write closed it', async () => {
    const { queue, stream } = openQueue()
    const write = stream.write.bind(stream)
    stream.write = (chunk) => {
      queue.close()
      return write(chunk)
    }
    queue.add('x'.repeat(3 * slice))
    await endOfTick()
    expect(stream.writes).toHaveLength(1)
  })
})

describe('the budget of all queues', () => {
  test('SendQueue counts in the budget while it is blocked, and not when it has sent all', async () => {
    const budget = new QueueBudget(1_000)
    const first = await blockedQueue({ budget })
    first.queue.add('x'.repeat(600))
    first.stream.drain()
    const second = await blockedQueue({ budget })
    second.queue.add('x'.repeat(1_000))
    expect(second.stalls).toEqual([])
    second.queue.close()
  })

  test('SendQueue cuts the queue that was blocked for longest when all together hold too much', async () => {
    const budget = new QueueBudget(1_000)
    const slow = await blockedQueue({ budget })
    slow.queue.add('x'.repeat(500))
    vi.advanceTimersByTime(10)
    const other = await blockedQueue({ budget })
    other.queue.add('x'.repeat(500))
    expect(slow.stalls).toEqual([])
    other.queue.add('x')
    expect(other.stalls).toEqual([])
    expect(slow.stalls).toHaveLength(1)
    expect(slow.stalls[0]).toMatchObject({
      code: 'slow_consumer',
      details: { limit: 'maxQueuedTotalBytes' },
      sentence: expect.stringContaining(
        'the slowest of all peers was cut: together they exceed limits.maxQueuedTotalBytes',
      ),
    })
    other.queue.close()
  })

  test('SendQueue that is cut as it becomes blocked leaves no timer and drains nobody', async () => {
    const budget = new QueueBudget(1_000)
    const { queue, stream, stalls, onDrain } = openQueue({ budget, limits: { maxQueuedFrames: 1 } })
    stream.takes = false
    queue.add('x'.repeat(slice + 2_000))
    await endOfTick()
    expect(stalls).toHaveLength(1)
    expect(onDrain).not.toHaveBeenCalled()
    expect(vi.getTimerCount()).toBe(0)
  })
})
