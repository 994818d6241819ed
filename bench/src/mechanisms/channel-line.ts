/** A line of whole messages: the frames of a channel. */

import type { Channel } from '../../../packages/postern/src/core/channel.ts'
import { resolveLimits } from '../../../packages/postern/src/core/limits.ts'
import type { Stream } from '../../../packages/postern/src/core/stream.ts'
import { framedChannel } from '../../../packages/postern/src/framing/framed-channel.ts'
import { lengthPrefix } from '../../../packages/postern/src/framing/length-prefix.ts'
import type { Line, LineHandlers } from './mechanism.ts'

/** The largest message has to pass. */
const maxFrameBytes = 128 * 1024 * 1024

export const lineLimits = resolveLimits({ maxCallBytes: maxFrameBytes, maxAnswerBytes: maxFrameBytes })

/** What the reader of the table is told of all of them. */
export const channelDefaults = 'frames with a length before them, limits raised for 64 MB'

/** The frames of a stream. */
export function framedLine(side: 'server' | 'client', stream: Stream): Line {
  return channelLine(framedChannel(stream, lengthPrefix, { side, limits: lineLimits }))
}

export function channelLine(channel: Channel): Line {
  return new ChannelLine(channel)
}

class ChannelLine implements Line {
  readonly #channel: Channel

  constructor(channel: Channel) {
    this.#channel = channel
  }

  get full(): boolean {
    return this.#channel.full
  }

  start({ bytes, room }: LineHandlers): void {
    this.#channel.start({
      frame: (frame) => bytes(frame.bytes),
      fault: (error) => {
        throw error
      },
      drain: room,
      end: () => this.#channel.end(),
      close: () => undefined,
    })
  }

  send(message: Uint8Array): void {
    this.#channel.send(message)
  }

  close(): void {
    this.#channel.abort()
  }
}
