/** One end of a channel, in a worker: does what it is told and tells all that it hears. */

import { type MessagePort, parentPort } from 'node:worker_threads'
import type { Channel } from '../../src/core/channel.ts'
import type { PosternError } from '../../src/core/errors.ts'
import { type MessagePortOptions, messagePortChannel } from '../../src/transports/message-port.ts'

/** What is done with the channel. */
export type Order =
  | { readonly kind: 'start' | 'end' | 'abort' }
  | { readonly kind: 'send'; readonly frame: string | Uint8Array }

/** What was heard from it. */
export type Report =
  | { readonly kind: 'drain' | 'end' }
  | { readonly kind: 'frame'; readonly bytes: Uint8Array }
  | { readonly kind: 'fault' | 'close'; readonly code: PosternError['code'] | undefined }

/** What comes before the first order. */
export interface Beginning {
  readonly port: MessagePort
  readonly options: MessagePortOptions
}

const tell = (report: Report): void => parentPort?.postMessage(report)

function start(channel: Channel): void {
  channel.start({
    frame: ({ bytes }) => tell({ kind: 'frame', bytes }),
    fault: ({ code }) => tell({ kind: 'fault', code }),
    drain: () => tell({ kind: 'drain' }),
    end: () => tell({ kind: 'end' }),
    close: (reason) => tell({ kind: 'close', code: reason?.code }),
  })
}

function obey(order: Order, channel: Channel): void {
  switch (order.kind) {
    case 'start':
      start(channel)
      return
    case 'send':
      channel.send(order.frame)
      return
    case 'end':
      channel.end()
      return
    case 'abort':
      channel.abort()
  }
}

parentPort?.once('message', ({ port, options }: Beginning) => {
  const channel = messagePortChannel(port, options)
  parentPort?.on('message', (order: Order) => obey(order, channel))
})
