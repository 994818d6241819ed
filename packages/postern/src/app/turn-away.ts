/** Telling a peer that it is turned away, in words that a person at the other end can read. */

import type { PosternError } from '../core/errors.ts'
import type { Stream } from '../core/stream.ts'

/** How long a peer that was refused has to read why. */
const refusalMs = 1_000

/**
 * Sends the line that `framing/refusal.ts` reads, or the given text in its place, and ends a stream that nobody has
 * started. Resolves when the stream is over: within a second.
 */
export function turnAway(stream: Stream, error: PosternError, text = `${error.message}\n`): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => stream.abort(error), refusalMs)
    stream.start({
      data: () => undefined,
      drain: () => undefined,
      end: () => stream.abort(error),
      close: () => {
        clearTimeout(timer)
        resolve()
      },
    })
    stream.write(text)
    stream.end()
  })
}
