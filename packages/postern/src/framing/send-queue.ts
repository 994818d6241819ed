/**
 * The outgoing half of a framed channel: what was sent in one tick leaves in one write, and no more is given to the
 * stream than it takes, so that what waits here can be counted and bounded.
 */

import type { OutgoingFrame } from '../core/channel.ts'
import { PosternError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'
import type { Stream } from '../core/stream.ts'
import { nowMs } from '../core/deadline.ts'
import type { Framing } from './framing.ts'
import type { QueueBudget } from './queue-budget.ts'

interface SendQueueOptions {
  readonly limits: Limits
  /** What all queues of one server may hold together. */
  readonly budget?: QueueBudget | undefined
  /** Called when the queue was full and has room again. */
  readonly onDrain: () => void
  /** Called when all has left and the stream has been ended. */
  readonly onEnd: () => void
  /** Called when no slice has left for `stallMs`. */
  readonly onStall: (error: PosternError) => void
}

/** Frames are encoded in groups of about this size, and larger ones written in slices of it. */
const sliceBytes = 64 * 1024

/** Text that surely fits in a slice: a character takes at most three bytes. */
const sliceCharacters = 16 * 1024

export class SendQueue {
  readonly #stream: Stream
  readonly #framing: Framing
  readonly #options: SendQueueOptions
  #frames: OutgoingFrame[] = []
  #next = 0
  /** Encoded pieces of the group that is leaving, the first one cut down to what is left of it. */
  #pieces: OutgoingFrame[] = []
  #queuedBytes = 0
  #sentFrames = 0
  #writtenFrames = 0
  #scheduled = false
  #blocked = false
  #wasFull = false
  #ending = false
  #closed = false
  #stallTimer: NodeJS.Timeout | undefined
  #blockedSinceMs = 0

  constructor(stream: Stream, framing: Framing, options: SendQueueOptions) {
    this.#stream = stream
    this.#framing = framing
    this.#options = options
  }

  get sentFrames(): number {
    return this.#sentFrames
  }

  get writtenFrames(): number {
    return this.#writtenFrames
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /** Since when no byte has left. */
  get blockedSinceMs(): number {
    return this.#blockedSinceMs
  }

  get full(): boolean {
    const { maxQueuedBytes, maxQueuedFrames } = this.#options.limits
    return this.#queuedBytes >= maxQueuedBytes || this.#frames.length - this.#next >= maxQueuedFrames
  }

  add(frame: OutgoingFrame): void {
    if (this.#closed || this.#ending) return
    this.#frames.push(frame)
    this.#queuedBytes += frame.length
    this.#sentFrames++
    this.#noteFull()
    if (this.#blocked) this.#options.budget?.queued(this)
    else this.#schedule()
  }

  /** The stream has taken all that it was given. */
  drained(): void {
    this.#blocked = false
    this.#stallTimer?.refresh()
    this.flush()
  }

  /** Sends what is queued, then ends the stream. */
  end(): void {
    if (this.#ending || this.#closed) return
    this.#ending = true
    if (!this.#blocked) this.#schedule()
  }

  /** Cuts the peer off for not reading. */
  cut(sentence: string, limit: keyof Limits): void {
    const value = this.#options.limits[limit]
    this.#options.onStall(
      new PosternError('slow_consumer', `${sentence} limits.${limit} (${value})`, { details: { limit, value } }),
    )
  }

  /** Drops what is queued. */
  close(): void {
    this.#closed = true
    this.#frames = []
    this.#next = 0
    this.#pieces = []
    this.#queuedBytes = 0
    this.#stopStallTimer()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    process.nextTick(flushQueue, this)
  }

  flush(): void {
    this.#scheduled = false
    while (!this.#blocked && !this.#closed) {
      if (this.#pieces.length > 0) this.#writeSlice()
      else if (!this.#encodeGroup()) break
    }
    if (this.#closed) return
    if (this.#blocked) this.#blockedNow()
    else if (this.#stallTimer !== undefined) this.#stopStallTimer()
    if (this.#ending && !this.#blocked) {
      this.#closed = true
      this.#stream.end()
      this.#options.onEnd()
    } else if (this.#wasFull && !this.full && !this.#closed) {
      this.#wasFull = false
      this.#options.onDrain()
    }
  }

  /** Encodes the next frames, about a slice of them; false when there are none. */
  #encodeGroup(): boolean {
    const group = this.#takeGroup()
    if (group.length === 0) return false
    this.#pieces = joinPieces(this.#framing.encode(group))
    // From here on the encoded bytes count, which for text can be more than its length.
    for (const piece of this.#pieces) this.#queuedBytes += piece.length
    this.#noteFull()
    return true
  }

  /** Whoever has seen the queue full waits to be told of room, however it became so. */
  #noteFull(): void {
    if (this.full) this.#wasFull = true
  }

  #takeGroup(): readonly OutgoingFrame[] {
    const frames = this.#frames
    const first = this.#next
    let end = first
    let bytes = 0
    while (end < frames.length && bytes < sliceBytes) bytes += (frames[end++] as OutgoingFrame).length
    this.#queuedBytes -= bytes
    this.#writtenFrames += end - first
    if (first === 0 && end === frames.length) {
      if (end > 0) this.#frames = []
      return frames
    }
    const group = frames.slice(first, end)
    // A queue that never empties must not keep what has left it.
    frames.fill('', first, end)
    this.#next = end
    if (end * 2 >= frames.length) {
      this.#frames = frames.slice(end)
      this.#next = 0
    }
    return group
  }

  #writeSlice(): void {
    const piece = this.#pieces[0] as OutgoingFrame
    if (piece.length <= (typeof piece === 'string' ? sliceCharacters : sliceBytes)) {
      this.#pieces.shift()
      this.#write(piece)
      return
    }
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece
    this.#queuedBytes += bytes.length - piece.length
    this.#noteFull()
    if (bytes.length > sliceBytes) this.#pieces[0] = bytes.subarray(sliceBytes)
    else this.#pieces.shift()
    this.#write(bytes.subarray(0, sliceBytes))
  }

  #write(slice: OutgoingFrame): void {
    this.#queuedBytes -= slice.length
    if (!this.#stream.write(slice)) this.#blocked = true
  }

  #blockedNow(): void {
    this.#blockedSinceMs = nowMs()
    if (this.#stallTimer === undefined) {
      this.#stallTimer = setTimeout(
        () => this.cut('the peer read nothing for', 'stallMs'),
        this.#options.limits.stallMs,
      )
      this.#stallTimer.unref()
    }
    // Last, as it may cut this very queue.
    this.#options.budget?.queued(this)
  }

  #stopStallTimer(): void {
    clearTimeout(this.#stallTimer)
    this.#stallTimer = undefined
    this.#options.budget?.left(this)
  }
}

function flushQueue(queue: SendQueue): void {
  queue.flush()
}

/** The same with small pieces joined, up to a slice, since each piece that is left is a write. */
function joinPieces(pieces: readonly OutgoingFrame[]): OutgoingFrame[] {
  if (pieces.length === 1) return [...pieces]
  const joined: OutgoingFrame[] = []
  let first = 0
  while (first < pieces.length) {
    let end = first + 1
    let length = (pieces[first] as OutgoingFrame).length
    while (end < pieces.length && length + (pieces[end] as OutgoingFrame).length <= sliceBytes) {
      length += (pieces[end++] as OutgoingFrame).length
    }
    joined.push(joinRun(pieces.slice(first, end)))
    first = end
  }
  return joined
}

function joinRun(run: readonly OutgoingFrame[]): OutgoingFrame {
  if (run.length === 1) return run[0] as OutgoingFrame
  const parts = run.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece))
  const whole = Buffer.allocUnsafeSlow(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}
