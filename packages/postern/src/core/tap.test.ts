import { expect, test, vi } from 'vitest'
import { endOfTick } from '../../test/fake-stream.ts'
import { openChannel } from '../../test/framed-channels.ts'
import { PosternError } from './errors.ts'
import { tapChannel } from './tap.ts'

function openTapped() {
  const { stream, channel } = openChannel()
  const seen: string[] = []
  const tapped = tapChannel(channel, {
    frame: (direction, frame) => seen.push(`${direction} ${Buffer.from(frame as string).toString()}`),
    close: (reason) => seen.push(`close ${reason?.code}`),
  })
  const handlers = {
    frame: vi.fn(() => seen.push('delivered')),
    progress: vi.fn(),
    fault: vi.fn(),
    drain: vi.fn(),
    end: vi.fn(),
    close: vi.fn(() => seen.push('told')),
  }
  return { stream, channel, tapped, seen, handlers }
}

test('tapChannel shows every frame before it goes on, in both directions', async () => {
  const { stream, tapped, seen, handlers } = openTapped()
  tapped.start(handlers)
  tapped.send('{"a":1}')
  tapped.send(Buffer.from('{"b":2}'))
  stream.deliver('{"c":3}')
  await endOfTick()
  expect(stream.written).toBe('{"a":1}\n{"b":2}\n')
  expect(seen).toEqual(['out {"a":1}', 'out {"b":2}', 'in {"c":3}', 'delivered'])
})

test('tapChannel shows the close, with its reason', () => {
  const { stream, tapped, seen, handlers } = openTapped()
  tapped.start(handlers)
  const reason = new PosternError('closed', 'made up')
  stream.deliverClose(reason)
  expect(seen).toEqual(['close closed', 'told'])
  expect(handlers.close).toHaveBeenCalledExactlyOnceWith(reason)
})

test('tapChannel changes nothing else', async () => {
  const { stream, channel, tapped, handlers } = openTapped()
  tapped.start(handlers)
  stream.deliver('{"half"')
  expect(handlers.progress).toHaveBeenCalledOnce()
  stream.deliver(': oops}', 'oops')
  expect(handlers.fault).toHaveBeenCalledOnce()
  stream.takes = false
  tapped.send('first')
  await endOfTick()
  tapped.send('second')
  expect(tapped.peer).toBe(channel.peer)
  expect([tapped.full, tapped.sentFrames, tapped.writtenFrames]).toEqual([false, 2, 1])
  tapped.end()
  stream.drain()
  expect(stream.calls).toEqual(['start', 'end'])
  const reason = new PosternError('cancelled', 'made up')
  tapped.abort(reason)
  expect(stream.abortReason).toBe(reason)
})
