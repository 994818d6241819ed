/** The last of what a program said, and no more of it, however much it says. */

/** Room for a stack trace and the lines before it. */
export const outputTailBytes: number = 8 * 1024

/** Keeps the last `outputTailBytes` of a byte stream. */
export class OutputTail {
  #tail: Buffer = Buffer.alloc(0)

  push(chunk: Uint8Array): void {
    const kept = chunk.length >= outputTailBytes ? [] : [this.#tail.subarray(chunk.length - outputTailBytes)]
    // A copy, so that the chunk, which may be a view of much more, can go.
    this.#tail = Buffer.concat([...kept, chunk.subarray(-outputTailBytes)])
  }

  /** As text: at most `outputTailBytes` characters. The first one may have lost its beginning. */
  text(): string {
    return this.#tail.toString('utf8')
  }
}
