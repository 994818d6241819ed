/**
 * Every number that can hurt, with its name, its default and its reason. An error that a limit causes names it, so
 * that the reader knows what to change.
 */

import { maxTimerMs } from './deadline.ts'

/** The named limits of a server or a client. Sizes are bytes, times milliseconds. */
export interface Limits {
  /** Largest call a server takes. Varlink and geth's HTTP take 16 and 5 MiB, jsonrpsee 10, D-Bus 32. */
  readonly maxCallBytes: number
  /** Largest answer a client takes: a 19 MB trace must pass; V8's strings end at 512 MB. */
  readonly maxAnswerBytes: number
  /** Deepest nesting in a call. Cap'n Proto and D-Bus stop at 64 too. */
  readonly maxDepth: number
  /** Objects, arrays, byte strings, and members of objects of over 127, in one call: 1 byte on the wire becomes 200 in memory, so this caps them near 200 MB. */
  readonly maxContainers: number
  /** Different names in one call, in objects of up to 127 members. The same name counts again behind other names, and where its object has another number of members: for each of these V8 makes a hidden class, which takes some 4 µs. */
  readonly maxNames: number
  /** Bytes of the headers before one frame, where frames have headers. NATS allows a line of 4 KiB. */
  readonly maxHeaderBytes: number
  /** Headers before one frame. Language servers send one or two. */
  readonly maxHeaders: number
  /** Longest method name, as at geth. */
  readonly maxMethodBytes: number
  /** Longest id of a call, which every answer carries back. */
  readonly maxIdBytes: number
  /** Calls in one batch, as at geth. */
  readonly maxBatchCalls: number
  /** Answers to one batch, together, as at geth. */
  readonly maxBatchAnswerBytes: number
  /** Connections to one address at once. */
  readonly maxConnections: number
  /** Those of one user who is not the server's own, where the native addon tells. D-Bus gives each user 256. */
  readonly maxConnectionsPerForeignUid: number
  /** Connections to one address that have not shown the token which it requires. */
  readonly maxUnauthenticated: number
  /** Time to show a token, to finish a TLS handshake, and from its first byte to say what is spoken. D-Bus gives 5 s, NATS 2 s. */
  readonly handshakeMs: number
  /** Time without a byte inside a frame that has begun: who dribbles is cut. */
  readonly frameProgressMs: number
  /** Calls of one connection that run at once. D-Bus allows 128. */
  readonly maxRunning: number
  /** Calls of one connection that wait for one of the running ones; their bytes stay within twice `maxCallBytes`. */
  readonly maxWaiting: number
  /** Calls of one client that wait for an answer. */
  readonly maxPending: number
  /** Bytes queued for one connection's peer; one frame of any legal size may enter an empty queue. */
  readonly maxQueuedBytes: number
  /** Frames queued for one connection's peer: small ones cost more than their bytes. */
  readonly maxQueuedFrames: number
  /** Bytes queued by one server for all its peers together; above it the slowest peer is cut. */
  readonly maxQueuedTotalBytes: number
  /** Time in which a queue's next 64 KiB must leave before its peer is cut for not reading. NATS gives 10 s. */
  readonly stallMs: number
  /** Subscriptions of one connection, as at jsonrpsee. */
  readonly maxSubscriptions: number
  /** Items of one subscription that wait for their consumer, as at jsonrpsee. */
  readonly maxBufferedItems: number
  /** Idle time of a call: without an answer, or a byte of one. Varlink gives 45 s. */
  readonly callMs: number
  /** Time for a connection to come about, with all its retries; also that a call waits for a lost one to come back. */
  readonly connectMs: number
  /** Further attempts to connect after the first. */
  readonly retries: number
  /** Pause before the first retry; each later one doubles it, with jitter. */
  readonly retryMinMs: number
  /** Longest pause between retries. */
  readonly retryMaxMs: number
  /** Starts of a spawned program or a worker, one after the other, that end before it has answered anything; then it is given up. */
  readonly maxRestarts: number
  /** Largest blob that is taken, at `shm:` addresses. */
  readonly maxBlobBytes: number
  /** Blobs that a connection has handed over and whose bytes are not collected yet, together. */
  readonly maxMappedBytes: number
  /** Blobs that came and that no message has named; one more, and the oldest is given up. D-Bus takes 16 a message. */
  readonly maxDescriptors: number
  /** After so long without a byte a Postern server with subscriptions is asked whether it lives; 0: never. Dead after 2 questions. */
  readonly heartbeatMs: number
  /** Time that a closing server gives to the calls that run. */
  readonly drainMs: number
}

/** The default of every limit. */
export const defaultLimits: Limits = Object.freeze({
  maxCallBytes: 16 * 1024 * 1024,
  maxAnswerBytes: 128 * 1024 * 1024,
  maxDepth: 64,
  maxContainers: 1_000_000,
  maxNames: 100_000,
  maxHeaderBytes: 8 * 1024,
  maxHeaders: 32,
  maxMethodBytes: 256,
  maxIdBytes: 256,
  maxBatchCalls: 1_000,
  maxBatchAnswerBytes: 25_000_000,
  maxConnections: 1_024,
  maxConnectionsPerForeignUid: 256,
  maxUnauthenticated: 64,
  handshakeMs: 5_000,
  frameProgressMs: 30_000,
  maxRunning: 128,
  maxWaiting: 1_024,
  maxPending: 16_384,
  maxQueuedBytes: 16 * 1024 * 1024,
  maxQueuedFrames: 16_384,
  maxQueuedTotalBytes: 256 * 1024 * 1024,
  stallMs: 10_000,
  maxSubscriptions: 1_024,
  maxBufferedItems: 1_024,
  callMs: 30_000,
  connectMs: 5_000,
  retries: 5,
  retryMinMs: 50,
  retryMaxMs: 5_000,
  maxRestarts: 5,
  maxBlobBytes: 1024 * 1024 * 1024,
  maxMappedBytes: 2 * 1024 * 1024 * 1024,
  maxDescriptors: 64,
  heartbeatMs: 15_000,
  drainMs: 5_000,
})

/** The limits that may be 0, which then means none of it. */
const mayBeZero: ReadonlySet<string> = new Set(['retries', 'maxWaiting', 'heartbeatMs', 'drainMs'])

/**
 * The defaults with the given ones put over them.
 *
 * Throws `TypeError` for a name that is not a limit or a value that is not a positive integer.
 */
export function resolveLimits(given: Partial<Limits> = {}): Limits {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaultLimits, name)) {
      throw new TypeError(`limits.${name} is not a limit; there are ${Object.keys(defaultLimits).join(', ')}`)
    }
    if (value === undefined) continue
    const least = mayBeZero.has(name) ? 0 : 1
    const most = name.endsWith('Ms') ? maxTimerMs : Number.MAX_SAFE_INTEGER
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new TypeError(`limits.${name} must be a whole number from ${least} to ${most}, not ${String(value)}`)
    }
  }
  return { ...defaultLimits, ...withoutUndefined(given) }
}

function withoutUndefined(given: Partial<Limits>): Partial<Limits> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}
