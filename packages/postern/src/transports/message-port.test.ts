import { once } from 'node:events'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Channel } from '../core/channel.ts'
import { type Limits, resolveLimits } from '../core/limits.ts'
import { until } from '../testing/until.ts'
import { messagePortChannel } from './message-port.ts'

interface Opened {
  readonly channel: Channel
  /** What the channel told, in order. */
  readonly events: string[]
  /** The other end, as it is. */
  readonly port: MessagePort
  /** What came there. */
  readonly messages: Record<string, unknown>[]
}

function opened(limits: Partial<Limits> = {}): Opened {
  const { port1, port2 } = new MessageChannel()
  onTestFinished(() => port2.close())
  const channel = messagePortChannel(port1, { limits: resolveLimits(limits), maxFrameBytes: 1_000 })
  const messages: Record<string, unknown>[] = []
  port2.on('message', (message: Record<string, unknown>) => messages.push(message))
  return { channel, events: recorded(channel), port: port2, messages }
}

function recorded(channel: Channel): string[] {
  const events: string[] = []
  channel.start({
    frame: ({ bytes }) => events.push(`frame ${bytes.toString()}`),
    fault: ({ code }) => events.push(`fault ${code}`),
    drain: () => events.push('drain'),
    finished: () => events.push('finished'),
    end: () => events.push('end'),
    close: (reason) => events.push(`close ${reason?.code}`),
  })
  return events
}

describe('messagePortChannel', () => {
  it('sends the frames of one tick in one message, and leaves their bytes with the sender', async () => {
    const { channel, messages } = opened()
    const bytes = Buffer.alloc(70_000, 'x')
    channel.send('é')
    channel.send(bytes)
    channel.send('b')
    await until(() => messages.length > 0)
    expect(messages).toHaveLength(1)
    expect(messages[0]).toMatchObject({ lengths: [2, 70_000, 1], end: false })
    expect(bytes).toHaveLength(70_000)
  })

  it('asks what has been taken from half of its limits on, and drains when it is told', async () => {
    const { channel, events, messages, port } = opened({ maxQueuedFrames: 4 })
    channel.send('a')
    await until(() => messages.length === 1)
    channel.send('b')
    await until(() => messages.length === 2)
    expect(messages.map(({ asks }) => asks)).toEqual([false, true])
    channel.send('c')
    channel.send('d')
    expect(channel.full).toBe(true)
    port.postMessage({ lengths: [], asks: false, taken: { frames: 2, bytes: 2 }, end: false })
    await until(() => events.length === 1)
    expect(events).toEqual(['drain'])
    expect(channel.full).toBe(false)
  })

  it('tells how much it has taken only when it is asked, in the same message as its own frames', async () => {
    const { channel, events, messages, port } = opened()
    const say = (asks: boolean): void =>
      port.postMessage({ block: new Uint8Array([97, 98, 98]), lengths: [1, 2], asks, taken: undefined, end: false })
    say(false)
    await until(() => events.length === 2)
    say(true)
    await until(() => messages.length === 1)
    expect(messages[0]).toMatchObject({ lengths: [], taken: { frames: 4, bytes: 6 } })
    channel.send('x')
    await until(() => messages.length === 2)
    expect(messages[1]).toMatchObject({ lengths: [1], taken: undefined })
  })

  it('is told of a port that was closed before it began', async () => {
    const { port1, port2 } = new MessageChannel()
    const channel = messagePortChannel(port1, { limits: resolveLimits(), maxFrameBytes: 1_000 })
    port2.close()
    await once(port1, 'close')
    const events = recorded(channel)
    expect(events).toEqual([])
    await until(() => events.length > 0)
    expect(events).toEqual(['close closed'])
  })

  it('closes, after what had come, when the thread at the other end ends', async () => {
    const { port1, port2 } = new MessageChannel()
    const events = recorded(messagePortChannel(port1, { limits: resolveLimits(), maxFrameBytes: 1_000 }))
    const program = `
      const { workerData } = require('node:worker_threads')
      const block = new Uint8Array([97])
      workerData.postMessage({ block, lengths: [1], asks: false, taken: undefined, end: false })
      process.exit()`
    const worker = new Worker(program, { eval: true, workerData: port2, transferList: [port2] })
    onTestFinished(async () => void (await worker.terminate()))
    await until(() => events.length === 2)
    expect(events).toEqual(['frame a', 'close closed'])
  })
})
