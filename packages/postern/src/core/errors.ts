/**
 * The one error class and the closed set of its codes.
 *
 * A code says what went wrong, whether trying again can help, how JSON-RPC names it and with which status the
 * command line ends. Everything else about an error is in its message, which names the value, the limit and the
 * option to change.
 */

/** What a code says beyond its name. */
export interface CodeTraits {
  /** The JSON-RPC error code a peer sees; absent where the code never crosses the wire. */
  readonly jsonRpc?: number
  /** Whether the same operation, tried again later, may succeed. */
  readonly retryable: boolean
  /** The exit status of the command line. */
  readonly exit: number
}

/** Every error code there is, with its traits. */
export const errorCodes = {
  /** Nobody listens at the address. */
  no_listener: { retryable: true, exit: 3 },
  /** The listener's backlog is full, or descriptors are exhausted. */
  busy: { retryable: true, exit: 3 },
  /** The connection ended before one byte of this call was written, or the server is closing. */
  closed: { jsonRpc: -32005, retryable: true, exit: 3 },
  /** The connection ended after the call was written: it may or may not have run. */
  unknown_outcome: { retryable: false, exit: 3 },
  /** A live server owns the name. */
  address_in_use: { retryable: false, exit: 3 },
  /** The system refused, or the peer refused our identity. */
  permission_denied: { jsonRpc: -32001, retryable: false, exit: 4 },
  /** We do not trust the other side's identity. */
  peer_rejected: { retryable: false, exit: 4 },
  /** Bytes that are not the protocol; the connection cannot go on. */
  bad_frame: { jsonRpc: -32700, retryable: false, exit: 6 },
  /** A whole frame that is not a message. */
  bad_message: { jsonRpc: -32600, retryable: false, exit: 6 },
  /** The other side speaks a protocol that is not served here. */
  unsupported_protocol: { jsonRpc: -32600, retryable: false, exit: 6 },
  /** Something over a named limit. */
  limit_exceeded: { jsonRpc: -32006, retryable: false, exit: 6 },
  /** A frame over the named limit. */
  frame_too_large: { jsonRpc: -32006, retryable: false, exit: 6 },
  /** Cut off for not reading what was sent. */
  slow_consumer: { retryable: true, exit: 6 },
  /** Too many calls wait at the server. */
  overloaded: { jsonRpc: -32002, retryable: true, exit: 6 },
  /** No answer, and no byte of one, within the deadline. */
  deadline_exceeded: { jsonRpc: -32003, retryable: false, exit: 5 },
  /** The caller gave up. */
  cancelled: { jsonRpc: -32800, retryable: false, exit: 130 },
  /** The service has no such method at this address. */
  unknown_method: { jsonRpc: -32601, retryable: false, exit: 7 },
  /** The parameters are not what the method takes. */
  invalid_params: { jsonRpc: -32602, retryable: false, exit: 1 },
  /** The handler failed; the reason stays with the server. */
  internal: { jsonRpc: -32603, retryable: false, exit: 1 },
  /** Any other error answer; `details` keeps code, message and data as received. */
  remote: { retryable: false, exit: 1 },
  /** An optional package is not installed. */
  missing_dependency: { retryable: false, exit: 2 },
  /** This build or platform cannot do it. */
  not_supported: { retryable: false, exit: 2 },
  /** The address cannot be understood. */
  bad_address: { retryable: false, exit: 2 },
} as const

/** The closed set of error codes. */
export type ErrorCode = keyof typeof errorCodes

/** What is said of errors that a contract declares, whose codes are the contract's own. */
const declaredTraits: CodeTraits = { jsonRpc: -32000, retryable: false, exit: 1 }

/** What a code says beyond its name. */
export function codeTraits(code: ErrorCode): CodeTraits {
  return Object.hasOwn(errorCodes, code) ? errorCodes[code] : declaredTraits
}

/** What an error may carry besides its code and sentence. */
export interface PosternErrorOptions {
  /** Facts for programs: plain data, safe to log. */
  readonly details?: unknown
  readonly cause?: unknown
}

/** Marks our errors across copies of this package, which `instanceof` cannot. */
const brand = Symbol.for('postern.error')

/**
 * The error of everything operational in Postern. Wrong use of the API throws `TypeError` instead.
 *
 * @example
 * ```ts
 * try {
 *   await connection.call('eth_blockNumber')
 * } catch (error) {
 *   if (isPosternError(error, 'closed')) console.error('the node has gone')
 * }
 * ```
 */
export class PosternError extends Error {
  override readonly name = 'PosternError'
  readonly code: ErrorCode
  declare readonly details?: unknown

  /** `sentence`: lower case, no final period, naming value, limit and the option to change. */
  constructor(code: ErrorCode, sentence: string, options: PosternErrorOptions = {}) {
    super(`[${code}] ${sentence}`, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    if (options.details !== undefined) this.details = options.details
    Object.defineProperty(this, brand, { value: true })
  }

  /** Whether the same operation, tried again later, may succeed. */
  get retryable(): boolean {
    return codeTraits(this.code).retryable
  }

  /** The message without its `[code] ` prefix, for answers that carry the code beside it. */
  get sentence(): string {
    return this.message.slice(this.code.length + 3)
  }
}

/**
 * Whether a caught value is a `PosternError`, of the given code where one is given. Works across copies of the package.
 *
 * @example
 * ```ts
 * if (isPosternError(error, 'no_listener')) console.error('start the server first')
 * ```
 */
export function isPosternError(error: unknown, code?: ErrorCode): error is PosternError {
  if (typeof error !== 'object' || error === null || !(brand in error)) return false
  return code === undefined || (error as unknown as PosternError).code === code
}
