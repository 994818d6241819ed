/**
 * The observer's port: someone who sees every frame of a channel and changes nothing. `postern -v` is one.
 */

import type { Blobs } from './blobs.ts'
import type { Channel, ChannelHandlers, OutgoingFrame } from './channel.ts'
import type { PosternError } from './errors.ts'
import type { Frame } from './frame.ts'
import type { Peer } from './stream.ts'

/** Sees what passes. Its callbacks must copy what they keep; one that throws is not called again. */
export interface Tap {
  readonly frame: (direction: 'in' | 'out', frame: OutgoingFrame) => void
  readonly close: (reason: PosternError | undefined) => void
}

/** The same channel, with an observer. */
export function tapChannel(channel: Channel, tap: Tap): Channel {
  return new TappedChannel(channel, tap)
}

class TappedChannel implements Channel {
  readonly #channel: Channel
  /** Undefined once it has thrown. */
  #tap: Tap | undefined

  constructor(channel: Channel, tap: Tap) {
    this.#channel = channel
    this.#tap = tap
  }

  get peer(): Peer {
    return this.#channel.peer
  }

  get blobs(): Blobs | undefined {
    return this.#channel.blobs
  }

  get full(): boolean {
    return this.#channel.full
  }

  get sentFrames(): number {
    return this.#channel.sentFrames
  }

  get writtenFrames(): number {
    return this.#channel.writtenFrames
  }

  start(handlers: ChannelHandlers): void {
    this.#channel.start({
      ...handlers,
      frame: (frame: Frame) => {
        this.#show('in', frame.bytes)
        handlers.frame(frame)
      },
      close: (reason) => {
        this.#tell(() => this.#tap?.close(reason))
        handlers.close(reason)
      },
    })
  }

  send(frame: OutgoingFrame): void {
    this.#show('out', frame)
    this.#channel.send(frame)
  }

  end(): void {
    this.#channel.end()
  }

  abort(reason?: PosternError): void {
    this.#channel.abort(reason)
  }

  #show(direction: 'in' | 'out', frame: OutgoingFrame): void {
    this.#tell(() => this.#tap?.frame(direction, frame))
  }

  #tell(tell: () => void): void {
    try {
      tell()
    } catch (error) {
      this.#tap = undefined
      process.emitWarning(`a tap threw and is not called again: ${String(error)}`, 'PosternWarning')
    }
  }
}
