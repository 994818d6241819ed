import { vi } from 'vitest'
import type { PosternError } from '../src/core/errors.ts'
import { type Limits, resolveLimits } from '../src/core/limits.ts'
import type { Framing } from '../src/framing/framing.ts'
import { newline } from '../src/framing/newline.ts'
import type { QueueBudget } from '../src/framing/queue-budget.ts'
import { SendQueue } from '../src/framing/send-queue.ts'
import { endOfTick, FakeStream } from './fake-stream.ts'

/** A queue over a fake stream. As a channel does, it closes the queue when the peer is cut. */
export function openQueue({
  limits = {},
  ...rest
}: {
  limits?: Partial<Limits>
  budget?: QueueBudget
  framing?: Framing
} = {}) {
  const stream = new FakeStream()
  const stalls: PosternError[] = []
  const onDrain = vi.fn()
  const queue: SendQueue = new SendQueue(stream, rest.framing ?? newline, {
    limits: resolveLimits(limits),
    budget: rest.budget,
    onDrain,
    onEnd: () => undefined,
    onStall: (error) => {
      stalls.push(error)
      queue.close()
    },
  })
  stream.start({
    data: () => undefined,
    drain: () => queue.drained(),
    end: () => undefined,
    close: () => queue.close(),
  })
  return { queue, stream, stalls, onDrain }
}

/** A queue whose stream has taken one frame and asks to wait. */
export async function blockedQueue(given: Parameters<typeof openQueue>[0] = {}) {
  const opened = openQueue(given)
  opened.stream.takes = false
  opened.queue.add('first')
  await endOfTick()
  return opened
}
