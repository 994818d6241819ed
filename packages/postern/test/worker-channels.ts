/** Channels whose one end is in another thread, for the channel suite. */

import { MessageChannel, Worker } from 'node:worker_threads'
import { onTestFinished } from 'vitest'
import type { Channel, ChannelHandlers, OutgoingFrame } from '../src/core/channel.ts'
import { PosternError } from '../src/core/errors.ts'
import { Frame } from '../src/core/frame.ts'
import { type Limits, resolveLimits } from '../src/core/limits.ts'
import { unknownPeer } from '../src/core/stream.ts'
import type { ChannelPair } from '../src/testing/channel-contract.ts'
import { messagePortChannel } from '../src/transports/message-port.ts'
import type { Beginning, Order, Report } from './programs/worker-channel.ts'

/** Both ends in this thread. */
export async function openPorts(given?: Partial<Limits>): Promise<ChannelPair> {
  const limits = resolveLimits(given)
  const { port1, port2 } = new MessageChannel()
  return {
    client: messagePortChannel(port1, { limits, maxFrameBytes: limits.maxAnswerBytes }),
    server: messagePortChannel(port2, { limits, maxFrameBytes: limits.maxCallBytes }),
  }
}

/** The server's end in a worker. */
export async function openAcrossThreads(given?: Partial<Limits>): Promise<ChannelPair> {
  const limits = resolveLimits(given)
  const { port1, port2 } = new MessageChannel()
  const beginning: Beginning = { port: port2, options: { limits, maxFrameBytes: limits.maxCallBytes } }
  const worker = new Worker(new URL('./programs/worker-channel.ts', import.meta.url))
  worker.postMessage(beginning, [port2])
  onTestFinished(async () => void (await worker.terminate()))
  return {
    client: messagePortChannel(port1, { limits, maxFrameBytes: limits.maxAnswerBytes }),
    server: new RemoteChannel(worker),
  }
}

/** The end in the worker, as far as it can be seen from here. */
class RemoteChannel implements Channel {
  readonly peer = unknownPeer
  readonly full = false
  readonly writtenFrames = 0
  sentFrames = 0
  readonly #worker: Worker

  constructor(worker: Worker) {
    this.#worker = worker
  }

  start(handlers: ChannelHandlers): void {
    this.#worker.on('message', (report: Report) => hear(report, handlers))
    this.#order({ kind: 'start' })
  }

  send(frame: OutgoingFrame): void {
    this.sentFrames++
    this.#order({ kind: 'send', frame })
  }

  end(): void {
    this.#order({ kind: 'end' })
  }

  abort(): void {
    this.#order({ kind: 'abort' })
  }

  #order(order: Order): void {
    this.#worker.postMessage(order)
  }
}

function hear(report: Report, handlers: ChannelHandlers): void {
  switch (report.kind) {
    case 'frame':
      handlers.frame(new Frame(Buffer.from(report.bytes)))
      return
    case 'fault':
      handlers.fault(new PosternError(report.code ?? 'internal', 'told by the worker'))
      return
    case 'close':
      handlers.close(report.code && new PosternError(report.code, 'told by the worker'))
      return
    case 'drain':
    case 'end':
      handlers[report.kind]()
  }
}
