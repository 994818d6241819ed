/**
 * The native part of Postern: who is at the other end of a socket, and memory that two processes share. It is what
 * `postern` builds on and has no promise of its own; programs use `allow` and `shm:` addresses.
 *
 * Every function checks its arguments (`TypeError`), and throws errors with a `code`: that of the system, as `EMFILE`, or
 * one of Postern's.
 */

/** What the kernel says of the process at the other end; what it does not say is left out. */
export interface PeerIdentity {
  readonly uid: number
  readonly gid: number
  /** Supplementary groups. */
  readonly groups?: readonly number[]
  readonly pid?: number
  /** Whether that very process still runs. */
  readonly alive?: boolean
}

/** The process that was at the other end when the connection was made. Throws where the kernel does not tell. */
export function peerOf(socket: number): PeerIdentity

/** How a link is made. */
export interface LinkOptions {
  /** 1: makes the rings and sends them; 0: waits for them. */
  readonly server: 0 | 1
  /** A server: the size of each ring, a power of two. A client: the largest that it takes. 4 KiB to 64 MiB. */
  readonly ringBytes: number
  /** 1: POSIX names in place of sealed memory, as on systems without it. */
  readonly portable: 0 | 1
  /** How long to look at the ring before sleeping, in microseconds; 0: not at all. At most a second. */
  readonly spinUs: number
  /** Blobs that came and were not asked for; one more, and the oldest is given up. */
  readonly maxDescriptors: number
  readonly maxBlobBytes: number
  /** Bytes of blobs that came and are not collected yet. */
  readonly maxMappedBytes: number
}

/** What a link tells; never within one of its methods. */
export type LinkEvent =
  /** A client's rings have come. A server has them from the beginning. */
  | 0
  /** So many bytes have been put into the input buffer, behind those before. 0: it is full, or gone; give another. */
  | 1
  /** There is room again, after a `write` that wrote less than all. */
  | 2
  /** The other side has ended, and all of it has been told. */
  | 3
  /** The other side has closed, and all that it had written has been told. */
  | 4
  /** The other side has done what it must not; the link is closed. The value says what; `EMFILE`: it has done nothing. */
  | 5

/** One side of a connection. It keeps the event loop running until it is closed. */
export class Link {
  /** Works on a copy of the descriptor of a connected Unix socket that nobody else reads or writes. */
  constructor(socket: number, options: LinkOptions, tell: (event: LinkEvent, value: number | string) => void)
  /** Where what arrives is put from now on; must come before `resume`. */
  input(buffer: Uint8Array): void
  /** Writes the bytes behind an offset, as far as there is room; returns how many. */
  write(bytes: Uint8Array, from: number): number
  /** Writes a short text whole; returns its bytes, or 0: it is too long, or there is no room. */
  writeText(text: string): number
  /** Begins, or goes on, to tell of what arrives. */
  resume(): void
  pause(): void
  /** Says that no more will be written. */
  end(): void
  /** Bytes that the other side has not taken yet. */
  unread(): number
  /** Gives everything back. Idempotent; afterwards every method does nothing. */
  close(): void
  /** Gives a blob away under a number; its bytes are gone from here. Throws `busy`: the same may be given again. */
  sendBlob(blob: Blob, id: number): void
  /** The bytes of a blob that came. */
  takeBlob(id: number): Uint8Array
}

/** Memory to be filled and given away. */
export class Blob {
  constructor(bytes: number)
  /** To be filled; empty once the blob has been given away. */
  readonly bytes: Uint8Array
}
