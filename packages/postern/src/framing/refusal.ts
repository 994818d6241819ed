/**
 * What a client hears instead of answers when the server turns it away: one line of text, whatever it speaks itself.
 *
 * ```
 * [unsupported_protocol] this address takes json: msgpack is not among them\n
 * ```
 *
 * No conversation begins with `[` and a lower-case letter: a batch of JSON-RPC has objects, a length that begins so is
 * over 1.5 GB, no header has a bracket, and to MessagePack it is the number 91.
 *
 * The server of a `shm:` address begins with a record, `PSTN…`, which is a mistake in the address.
 */

import { type ErrorCode, errorCodes, PosternError } from '../core/errors.ts'
import { escapeText } from '../core/escape.ts'
import { FrameBuffer } from './frame-buffer.ts'
import { endedInsideFrame, type FrameDecoder, type FrameSink, type Framing } from './framing.ts'

/**
 * The same framing for a client: a line that comes before the first frame and reads as a refusal throws the error it
 * tells of, or `bad_frame` where its code is none; the record of a `shm:` address throws `unsupported_protocol`.
 * Everything else is left to the framing.
 */
export function withRefusal(framing: Framing): Framing {
  return {
    name: framing.name,
    decoder: (limits) => new RefusableDecoder(framing.decoder(limits)),
    encode: (frames) => framing.encode(frames),
  }
}

/** As much of a refusal as is waited for and shown. */
const maxLineBytes = 512

const bracket = 0x5b
/** A server writes its record in one piece. */
const record = Buffer.from('PSTN')
const newlineByte = 0x0a
const isLowerCase = (byte: number): boolean => byte >= 0x61 && byte <= 0x7a

class RefusableDecoder implements FrameDecoder {
  readonly #decoder: FrameDecoder
  /** What has come, while it can be a refusal. */
  readonly #held = new FrameBuffer()
  /** Whether it is none, so that all goes to the framing. */
  #begun = false

  constructor(decoder: FrameDecoder) {
    this.#decoder = decoder
  }

  get pendingBytes(): number {
    return this.#begun ? this.#decoder.pendingBytes : this.#held.length
  }

  get undecided(): boolean {
    return this.#decoder.undecided
  }

  head(): Uint8Array {
    return this.#begun ? this.#decoder.head() : this.#held.head()
  }

  push(chunk: Buffer, sink: FrameSink): void {
    if (this.#begun) this.#decoder.push(chunk, sink)
    else if (chunk.length > 0) this.#begin(chunk, sink)
  }

  quiet(sink: FrameSink): void {
    this.#decoder.quiet(sink)
  }

  end(sink: FrameSink): void {
    const { length } = this.#held
    if (length > 1) throw refusalIn(this.#held.take(Buffer.alloc(0)))
    if (length > 0) throw endedInsideFrame(length)
    this.#decoder.end(sink)
  }

  #begin(chunk: Buffer, sink: FrameSink): void {
    if (this.#held.length === 0 && chunk.subarray(0, record.length).equals(record)) throw speaksSharedMemory()
    if (!goesOnAsRefusal(chunk, this.#held.length)) {
      this.#begun = true
      this.#decoder.push(this.#held.take(chunk), sink)
      return
    }
    const isWhole = chunk.includes(newlineByte) || this.#held.length + chunk.length >= maxLineBytes
    if (isWhole) throw refusalIn(this.#held.take(chunk))
    this.#held.add(chunk)
  }
}

function speaksSharedMemory(): PosternError {
  const sentence = 'the server speaks through shared memory: connect to the same path with shm: in place of unix:'
  return new PosternError('unsupported_protocol', sentence)
}

/** Whether these bytes, behind so many others that can be a refusal, can be more of it. */
function goesOnAsRefusal(chunk: Buffer, before: number): boolean {
  if (before === 0 && chunk[0] !== bracket) return false
  // Undefined where the letter has come before, or is still to come.
  const letter = chunk[1 - before]
  return letter === undefined || isLowerCase(letter)
}

/** The error that a line tells of. */
function refusalIn(bytes: Buffer): PosternError {
  const [line = ''] = bytes.toString('utf8', 0, maxLineBytes).split(/\r?\n/, 1)
  const [, code, sentence] = /^\[([a-z_]+)\] (.+)$/s.exec(line) ?? []
  if (code === undefined || sentence === undefined || !isErrorCode(code))
    return new PosternError('bad_frame', `expected an answer, got "${escapeText(line)}"`)
  return new PosternError(code, escapeText(sentence))
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code)
}
