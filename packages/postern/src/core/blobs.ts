/**
 * Handing large values over without copying them, where a connection can: `shm:` alone. What carries a frame gives these
 * to what writes it.
 *
 * A frame names a blob by its number. The blob has left before the frame does, and one blob goes to one receiver.
 */

/** Memory that is filled by its maker and then given away: `blob.bytes`, or the blob itself, as any value of a call. */
export class SharedBlob {
  /** To be filled; of no bytes once it has been sent. */
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

/** The blobs of one connection. */
export interface Blobs {
  /** Zeroed memory of that many bytes. Throws `limit_exceeded` above `limits.maxBlobBytes`, and `busy`. */
  create(bytes: number): Uint8Array
  /** Whether these are all bytes of something that `create` made, and have not been sent. */
  has(bytes: Uint8Array): boolean
  /** Hands the bytes over and returns their number. They are gone from here. Throws `busy`: try again. */
  send(bytes: Uint8Array): number
  /** The bytes that came under a number. Throws `bad_frame` where none did, and `limit_exceeded`. */
  take(id: number): Uint8Array
}
