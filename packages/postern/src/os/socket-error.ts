/**
 * The door for the errors of sockets, wherever these are: TCP and named pipes have no file that could be looked at, and
 * want other words than `node-error.ts` has for paths.
 */

import { type ErrorCode, isPosternError, PosternError } from '../core/errors.ts'
import { fromNodeError, nodeErrorCode } from './node-error.ts'

type Meaning = readonly [code: ErrorCode, sentence: (attempt: string, address: string) => string]

const noWay: Meaning = [
  'no_listener',
  (_, address) => `no way leads to ${address} now; start the network or correct the address`,
]
const tcpPermission: Meaning = [
  'permission_denied',
  (attempt, address) => `may not ${attempt} ${address}: a firewall forbids it, or the port, which below 1024 is root's`,
]

const tcpMeanings: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  [
    'ECONNREFUSED',
    ['no_listener', (_, address) => `nobody listens at ${address}; start the server or correct the port`],
  ],
  ['EADDRINUSE', ['address_in_use', (_, address) => `somebody listens at ${address}; stop it, or choose another port`]],
  ['EADDRNOTAVAIL', ['bad_address', (_, address) => `this machine does not have the host of ${address}; correct it`]],
  ['EACCES', tcpPermission],
  ['EPERM', tcpPermission],
  ['ENOTFOUND', ['no_listener', (_, address) => `the host of ${address} is not known; correct its name`]],
  ['EAI_AGAIN', ['busy', (_, address) => `the host of ${address} cannot be looked up now; try again later`]],
  ['EHOSTUNREACH', noWay],
  ['EHOSTDOWN', noWay],
  ['ENETUNREACH', noWay],
  ['ENETDOWN', noWay],
])

const pipePermission: Meaning = [
  'permission_denied',
  (attempt, address) => `may not ${attempt} ${address}: its server runs as another user`,
]

const pipeMeanings: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['ENOENT', ['no_listener', (_, address) => `nobody listens at ${address}; start the server or correct the name`]],
  ['EADDRINUSE', ['address_in_use', (_, address) => `somebody listens at ${address}; stop it, or choose another name`]],
  ['EACCES', pipePermission],
  ['EPERM', pipePermission],
])

/**
 * The `PosternError` that an error of a socket stands for. `at` is its path or, where it has none, its address; `attempt`
 * a verb phrase that goes before it, as in "connect to". One that is a `PosternError` already comes back as it is.
 */
export function fromSocketError(error: unknown, attempt: string, at: string): PosternError {
  if (isPosternError(error)) return error
  const meanings = at.startsWith('tcp:') ? tcpMeanings : at.startsWith('pipe:') ? pipeMeanings : undefined
  const code = nodeErrorCode(error) ?? ''
  const meaning = meanings?.get(code) ?? (meanings === tcpMeanings ? tlsMeaning(code, error as Error) : undefined)
  if (meaning === undefined) return fromNodeError(error, attempt, at)
  return new PosternError(meaning[0], meaning[1](attempt, at), { cause: error })
}

/** What OpenSSL says where the other side's bytes are not TLS. */
const noTls: ReadonlySet<string> = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_HTTP_REQUEST',
])

/** How certificates are refused for no other reason than that nobody known has signed them. */
const notSigned: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

function tlsMeaning(code: string, { message }: Error): Meaning | undefined {
  if (noTls.has(code)) {
    return ['unsupported_protocol', (_, address) => `the other side of ${address} does not speak TLS; give it tls too`]
  }
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') {
    return ['deadline_exceeded', (_, address) => `no TLS came about at ${address} within limits.handshakeMs`]
  }
  if (code.startsWith('ERR_SSL_')) {
    const reason = code.slice('ERR_SSL_'.length).toLowerCase().replaceAll('_', ' ')
    return ['unsupported_protocol', (_, address) => `no TLS came about with the other side of ${address}: ${reason}`]
  }
  if (notSigned.has(code)) {
    const needed = code === 'DEPTH_ZERO_SELF_SIGNED_CERT' ? 'it' : 'the one of who signed it'
    return [
      'peer_rejected',
      (_, address) =>
        `the certificate of ${address} is not believed (${message}); to do so, give ${needed} as tls: { ca }`,
    ]
  }
  if (/CERT|CRL|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH/.test(code)) {
    return ['peer_rejected', (_, address) => `the certificate of ${address} is refused: ${message}`]
  }
  return undefined
}
