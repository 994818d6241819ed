/** The blobs of a connection through shared memory. */

import type { Blobs } from '../core/blobs.ts'
import { PosternError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'
import { type Blob, fromNativeError, type Link, type NativeAddon } from '../os/native.ts'

export class SharedMemoryBlobs implements Blobs {
  readonly #native: NativeAddon
  readonly #link: Link
  readonly #options: { readonly address: string; readonly maxBlobBytes: Limits['maxBlobBytes'] }
  /** By their bytes, as long as somebody has those. */
  readonly #made = new WeakMap<Uint8Array, Blob>()
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
      this.#made.set(blob.bytes, blob)
      return blob.bytes
    } catch (error) {
      throw fromNativeError(error, 'make a blob for', address)
    }
  }

  has(bytes: Uint8Array): boolean {
    return this.#made.has(bytes)
  }

  send(bytes: Uint8Array): number {
    const blob = this.#made.get(bytes)
    if (blob === undefined) throw new TypeError('bytes that were not made by blob() are not handed over')
    const id = ++this.#lastId
    try {
      this.#link.sendBlob(blob, id)
    } catch (error) {
      throw fromNativeError(error, 'hand a blob over to', this.#options.address)
    }
    this.#made.delete(bytes)
    return id
  }

  take(id: number): Uint8Array {
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
