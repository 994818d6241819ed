/** Streams over the rings of `@postern/native`. */

import type { Socket } from 'node:net'
import type { Blobs } from '../core/blobs.ts'
import { PosternError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'
import type { Peer, Stream, StreamHandlers } from '../core/stream.ts'
import { fromNativeError, type Link, type LinkEvent, type LinkOptions, type NativeAddon } from '../os/native.ts'
import { fromNodeError } from '../os/node-error.ts'
import { descriptorOf } from '../os/socket-descriptor.ts'
import { SharedMemoryBlobs } from './shared-memory-blobs.ts'

/** What of its connection a link has to know. */
export interface SharedMemoryOptions {
  readonly limits: Pick<Limits, 'maxBlobBytes' | 'maxMappedBytes' | 'maxDescriptors'>
  /** How long to look for an answer before going to sleep, in microseconds. It keeps the event loop from other work. */
  readonly spinUs?: number
  /** Memory by POSIX names, as on systems that cannot seal it. */
  readonly portable?: boolean
}

/** What a client hears before its stream can be used: one of the two, once. */
interface SharedMemoryEvents {
  readonly onReady?: () => void
  readonly onRefused?: (reason: PosternError) => void
}

/** What a stream is made of. */
export interface SharedMemoryParts extends SharedMemoryEvents {
  /** What errors name. */
  readonly address: string
  readonly peer: Peer
  readonly link: LinkOptions
}

/** The size of a ring: what does not fit streams through it, and small rings stay in the processor's cache. */
const ringBytes = 512 * 1024

/** The largest ring that a client takes of a server. */
const maxRingBytes = 16 * 1024 * 1024

/** Where what arrives is put: so much at once, and a new one when little of it is left. */
const slabBytes = 64 * 1024
const leastSlabBytes = 4 * 1024

/** Text up to here goes to the addon as it is; three bytes a character at most. */
const shortText = 1_360

const readyEvent = 0
const dataEvent = 1
const roomEvent = 2
const endEvent = 3
const goneEvent = 4
const faultEvent = 5

/**
 * A `Stream` through shared memory. `socket` is its control socket, connected and paused: it tells of the death of the
 * other side, and counts as the connection.
 */
export class SharedMemoryStream implements Stream {
  readonly peer: Peer
  readonly #link: Link
  readonly #socket: Socket
  readonly #address: string
  readonly #events: SharedMemoryEvents
  readonly #makeBlobs: () => Blobs
  /** Made when first needed: most connections have none. */
  #blobs: Blobs | undefined
  #handlers: StreamHandlers | undefined
  /** There are rings. */
  #ready: boolean
  #slab = Buffer.allocUnsafeSlow(slabBytes)
  #slabAt = 0
  /** What has not fitted into the ring, and how much of the first of it has. */
  #queue: Uint8Array[] = []
  #queueAt = 0
  #paused = false
  #ending = false
  #peerEnded = false
  /** The other side is no more, but had ended in order: what is written from now on nobody gets. */
  #peerGone = false
  #closed = false
  #reason: PosternError | undefined

  /** Throws what the addon says; the socket is then still the caller's. */
  constructor(native: NativeAddon, socket: Socket, { address, peer, link, ...events }: SharedMemoryParts) {
    this.peer = peer
    this.#socket = socket
    this.#address = address
    this.#events = events
    this.#ready = link.server === 1
    try {
      this.#link = new native.Link(descriptorOf(socket), link, (event, value) => this.#told(event, value))
    } catch (error) {
      throw fromNativeError(error, 'share memory with', address)
    }
    this.#makeBlobs = () => new SharedMemoryBlobs(native, this.#link, { address, maxBlobBytes: link.maxBlobBytes })
    this.#link.input(this.#slab)
    // Nobody reads or writes there; an error that nobody handles would end the process.
    socket.on('error', () => undefined)
  }

  get blobs(): Blobs {
    this.#blobs ??= this.#makeBlobs()
    return this.#blobs
  }

  start(handlers: StreamHandlers): void {
    this.#handlers = handlers
    if (this.#closed) process.nextTick(() => this.#tellClose())
    else if (!this.#paused) this.#link.resume()
  }

  write(chunk: Uint8Array | string): boolean {
    if (this.#closed || this.#ending) return true
    if (this.#peerGone && chunk.length > 0) {
      this.#close(this.#brokenOff())
      return true
    }
    try {
      return this.#queue.length > 0 ? this.#enqueue(chunk, 0) : this.#send(chunk)
    } catch (error) {
      this.#close(fromNativeError(error, 'write to', this.#address))
      return true
    }
  }

  pause(): void {
    this.#paused = true
    this.#link.pause()
  }

  resume(): void {
    this.#paused = false
    if (this.#handlers !== undefined) this.#link.resume()
  }

  end(): void {
    if (this.#closed || this.#ending) return
    this.#ending = true
    if (this.#queue.length === 0) this.#endLink()
  }

  abort(reason?: PosternError): void {
    this.#close(reason ?? new PosternError('closed', `this side gave up the connection to ${this.#address}`))
  }

  #send(chunk: Uint8Array | string): boolean {
    if (typeof chunk === 'string') {
      if (chunk.length <= shortText && (chunk === '' || this.#link.writeText(chunk) > 0)) return true
      chunk = Buffer.from(chunk)
    }
    const written = this.#link.write(chunk, 0)
    return written === chunk.length || this.#enqueue(chunk, written)
  }

  #enqueue(chunk: Uint8Array | string, from: number): false {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    this.#queue.push(from === 0 ? bytes : bytes.subarray(from))
    return false
  }

  #told(event: LinkEvent, value: number | string): void {
    switch (event) {
      case readyEvent:
        this.#ready = true
        this.#events.onReady?.()
        return
      case dataEvent:
        this.#data(value as number)
        return
      case roomEvent:
        this.#flush()
        return
      case endEvent:
        this.#peerEnded = true
        this.#handlers?.end()
        this.#closeIfEnded()
        return
      case goneEvent:
        this.#gone()
        return
      case faultEvent:
        this.#close(this.#wrong(String(value)))
    }
  }

  #data(bytes: number): void {
    // Who got a chunk has transferred the memory of all.
    if (bytes === 0) {
      this.#giveSlab()
      return
    }
    const chunk = this.#slab.subarray(this.#slabAt, this.#slabAt + bytes)
    this.#slabAt += bytes
    if (slabBytes - this.#slabAt < leastSlabBytes) this.#giveSlab()
    this.#handlers?.data(chunk)
  }

  #giveSlab(): void {
    this.#slab = Buffer.allocUnsafeSlow(slabBytes)
    this.#slabAt = 0
    this.#link.input(this.#slab)
  }

  /** Writes on with what is queued. */
  #flush(): void {
    let sent = 0
    try {
      for (const chunk of this.#queue) {
        this.#queueAt += this.#link.write(chunk, this.#queueAt)
        if (this.#queueAt < chunk.length) break
        this.#queueAt = 0
        sent++
      }
    } catch (error) {
      this.#close(fromNativeError(error, 'write to', this.#address))
      return
    }
    if (sent > 0) this.#queue.splice(0, sent)
    if (this.#queue.length > 0) return
    if (this.#ending) this.#endLink()
    else this.#handlers?.drain()
  }

  #endLink(): void {
    this.#link.end()
    this.#closeIfEnded()
  }

  /** What both have written stays readable in the memory. */
  #closeIfEnded(): void {
    if (this.#peerEnded && this.#ending && this.#queue.length === 0) this.#close(undefined)
  }

  /** The other side has closed; what it had written has been told. */
  #gone(): void {
    // It has heard all, and we have: a last end of ours is then in order.
    const heard = this.#queue.length === 0 && this.#link.unread() === 0
    if (this.#peerEnded && heard && !this.#ending) this.#peerGone = true
    else this.#close(this.#brokenOff())
  }

  #wrong(what: string): PosternError {
    if (what === 'EMFILE')
      return fromNodeError(Object.assign(new Error(what), { code: what }), 'share memory with', this.#address)
    return new PosternError('bad_frame', `the other side of ${this.#address} does not keep to the rules: ${what}`)
  }

  #close(reason: PosternError | undefined): void {
    if (this.#closed) return
    this.#closed = true
    this.#reason = reason
    this.#queue = []
    this.#link.close()
    this.#socket.destroy()
    if (!this.#ready) this.#events.onRefused?.(reason ?? this.#brokenOff())
    else process.nextTick(() => this.#tellClose())
  }

  #tellClose(): void {
    const handlers = this.#handlers
    this.#handlers = undefined
    handlers?.close(this.#reason)
  }

  #brokenOff(): PosternError {
    return new PosternError('closed', `the connection to ${this.#address} broke off; connect again`)
  }
}

/** The link options of one side. */
export function linkOptions(
  side: 'server' | 'client',
  { limits, spinUs = 0, portable = false }: SharedMemoryOptions,
): LinkOptions {
  const { maxBlobBytes, maxDescriptors, maxMappedBytes } = limits
  const server = side === 'server'
  return {
    server: server ? 1 : 0,
    ringBytes: server ? ringBytes : maxRingBytes,
    portable: portable ? 1 : 0,
    spinUs,
    maxDescriptors,
    maxBlobBytes,
    maxMappedBytes,
  }
}
