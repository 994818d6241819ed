/**
 * JSON in frames that announce their length, with nesting, containers and names counted as in a stream of JSON: a
 * framing that looks at no byte of its frames would else let anything through to `JSON.parse`.
 */

import { PosternError } from '../core/errors.ts'
import { excerpt } from '../core/escape.ts'
import type { Frame } from '../core/frame.ts'
import type { FrameDecoder, FrameLimits, FrameSink, Framing } from './framing.ts'
import { JsonScanner } from './json-scanner.ts'
import { isWhiteSpace, notJson, opensValue } from './json-stream.ts'

/**
 * The same framing for frames that hold one JSON object or array each, which may have white space around it. Where
 * nesting, containers or names are limited, a frame over a limit throws `limit_exceeded`, and one that holds anything
 * else `bad_frame`. Where none is, as at a client, nothing is looked at.
 */
export function boundedJson(framing: Framing): Framing {
  return {
    name: framing.name,
    decoder: (limits) => {
      const decoder = framing.decoder(limits)
      const { maxDepth, maxContainers, maxNames } = limits
      const bounded = [maxDepth, maxContainers, maxNames].some(Number.isFinite)
      return bounded ? new BoundedJsonDecoder(decoder, limits) : decoder
    },
    encode: (frames) => framing.encode(frames),
  }
}

class BoundedJsonDecoder implements FrameDecoder {
  readonly #decoder: FrameDecoder
  readonly #scanner: JsonScanner

  constructor(decoder: FrameDecoder, limits: FrameLimits) {
    this.#decoder = decoder
    this.#scanner = new JsonScanner(limits)
  }

  get pendingBytes(): number {
    return this.#decoder.pendingBytes
  }

  get undecided(): boolean {
    return this.#decoder.undecided
  }

  head(): Uint8Array {
    return this.#decoder.head()
  }

  push(chunk: Buffer, sink: FrameSink): void {
    this.#decoder.push(chunk, this.#checked(sink))
  }

  quiet(sink: FrameSink): void {
    this.#decoder.quiet(this.#checked(sink))
  }

  end(sink: FrameSink): void {
    this.#decoder.end(this.#checked(sink))
  }

  #checked(sink: FrameSink): FrameSink {
    return (frame) => {
      this.#check(frame.bytes)
      sink(frame)
    }
  }

  #check(bytes: Buffer): void {
    const start = skipWhiteSpace(bytes, 0)
    if (!opensValue(bytes[start] as number)) throw notJson(bytes.subarray(start))
    const end = this.#scanner.scan(bytes, start)
    if (end < 0) throw new PosternError('bad_frame', `expected a whole JSON value in a frame, got ${excerpt(bytes)}`)
    const behind = skipWhiteSpace(bytes, end)
    if (behind < bytes.length) {
      throw new PosternError(
        'bad_frame',
        `expected one JSON value in a frame, got behind it ${excerpt(bytes.subarray(behind))}`,
      )
    }
  }
}

/** The index of the first byte from `from` on that is no white space. */
function skipWhiteSpace(bytes: Buffer, from: number): number {
  let index = from
  while (index < bytes.length && isWhiteSpace(bytes[index] as number)) index++
  return index
}
