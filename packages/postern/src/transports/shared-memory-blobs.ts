/** The blobs of a connection through shared memory. */

import type { Blobs } from '../core/blobs.ts'
import { PosternError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'
import { type Blob, fromNativeError, type Link, type NativeAddon } from '../os/native.ts'

/** Unsent: its bytes are gone from here, but the other side had no room for it. It may be tried again. */
interface Made {
  readonly blob: Blob
  readonly bytes: number
  state: 'filled' | 'unsent' | 'sent'
}

export class SharedMemoryBlobs implements Blobs {
  readonly #native: NativeAddon
  readonly #link: Link
  readonly #options: { readonly address: string; readonly maxBlobBytes: Limits['maxBlobBytes'] }
  /**
   * By their memory: what reads into it when it is handed over keeps it, and so the blob must stay, lest the address be
   * another's.
   */
  readonly #made = new WeakMap<ArrayBufferLike, Made>()
  #lastId = 0

  constructor(native: NativeAddon, link: Link, options: { address: string; maxBlobBytes: number }) {
    this.#native = native
    this.#link = link
    this.#options = options
  }

  create(bytes: number): Uint8Array {
    const { address, maxBlobBytes } = this.#options
    if (!Number.isSafeInteger(bytes) || bytes < 1)
      throw new TypeError(`a blob has a whole number of bytes, and at least one, not ${String(bytes)}`)
    if (bytes > maxBlobBytes) {
      throw new PosternError(
        'limit_exceeded',
        `a blob of ${bytes} bytes exceeds limits.maxBlobBytes (${maxBlobBytes})`,
        {
          details: { limit: 'maxBlobBytes', value: maxBlobBytes },
        },
      )
    }
    try {
      const blob = new this.#native.Blob(bytes)
      this.#made.set(blob.bytes.buffer, { blob, bytes, state: 'filled' })
      return blob.bytes
    } catch (error) {
      throw fromNativeError(error, 'make a blob for', address)
    }
  }

  has({ buffer, byteLength }: Uint8Array): boolean {
    const made = this.#made.get(buffer)
    if (made === undefined) return false
    return made.state === 'filled' ? byteLength === made.bytes : made.state === 'unsent'
  }

  send({ buffer }: Uint8Array): number {
    const made = this.#made.get(buffer)
    if (made === undefined || made.state === 'sent')
      throw new TypeError('bytes that blob() has not made, or that were handed over, are not handed over')
    const id = this.#lastId + 1
    try {
      this.#link.sendBlob(made.blob, id)
    } catch (error) {
      made.state = 'unsent'
      throw fromNativeError(error, 'hand a blob over to', this.#options.address)
    }
    this.#lastId = id
    made.state = 'sent'
    return id
  }

  take(id: number): Uint8Array {
    if (!Number.isSafeInteger(id)) throw new PosternError('bad_frame', 'a frame names a blob by no number')
    try {
      return this.#link.takeBlob(id)
    } catch (error) {
      throw (
        limitError(error, this.#options.address) ?? fromNativeError(error, 'take a blob from', this.#options.address)
      )
    }
  }
}

/** The addon names the limit, and nothing else. */
function limitError(error: unknown, address: string): PosternError | undefined {
  const limit = error instanceof Error ? error.message : ''
  if (!/^max[A-Z]\w*$/.test(limit)) return undefined
  return new PosternError('limit_exceeded', `blobs from ${address} exceed limits.${limit}`, { details: { limit } })
}
