import type { Channel, ChannelHandlers } from '../src/core/channel.ts'
import type { PosternError } from '../src/core/errors.ts'
import { type Limits, resolveLimits } from '../src/core/limits.ts'
import { type FramedChannelOptions, framedChannel } from '../src/framing/framed-channel.ts'
import type { Framing } from '../src/framing/framing.ts'
import { jsonStream } from '../src/framing/json-stream.ts'
import { newline } from '../src/framing/newline.ts'
import { FakeStream } from './fake-stream.ts'

/** A channel with all that its user was told. */
export interface OpenedChannel {
  readonly channel: Channel
  readonly stream: FakeStream
  /** What the user of the channel was told, in order: `frame {}`, `fault bad_frame`, `drain`, `end`, `close`. */
  readonly events: string[]
  readonly faults: PosternError[]
  readonly progress: [head: string, bytes: number][]
}

interface Given extends Partial<Omit<FramedChannelOptions, 'limits'>> {
  readonly limits?: Partial<Limits>
  readonly framing?: Framing
  readonly handlers?: (channel: Channel) => Partial<ChannelHandlers>
}

/** A channel over a fake stream, not yet started. */
export function openChannel({
  side = 'server',
  framing = side === 'server' ? jsonStream : newline,
  limits,
  budget,
}: Given = {}) {
  const stream = new FakeStream()
  const options = { side, limits: resolveLimits(limits), ...(budget === undefined ? {} : { budget }) }
  return { stream, channel: framedChannel(stream, framing, options) }
}

/** The same, started. */
export function startedChannel(given: Given = {}): OpenedChannel {
  const { stream, channel } = openChannel(given)
  const opened: OpenedChannel = { channel, stream, events: [], faults: [], progress: [] }
  const { events, faults, progress } = opened
  const more = given.handlers?.(channel)
  channel.start({
    frame: (frame) => {
      events.push(`frame ${frame.bytes.toString()}`)
      more?.frame?.(frame)
    },
    progress: (head, bytes) => progress.push([Buffer.from(head).toString(), bytes]),
    fault: (error) => {
      events.push(`fault ${error.code}`)
      faults.push(error)
      more?.fault?.(error)
    },
    drain: () => events.push('drain'),
    end: () => events.push('end'),
    close: (reason) => events.push(reason === undefined ? 'close' : `close ${reason.code}`),
  })
  return opened
}
