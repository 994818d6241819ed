import { expect, test } from 'vitest'
import { PosternError } from '../core/errors.ts'
import { fromSocketError } from './socket-error.ts'

test.each([
  ['ECONNREFUSED', 'no_listener', 'nobody listens'],
  ['ENOTFOUND', 'no_listener', 'is not known'],
  ['EHOSTUNREACH', 'no_listener', 'no way leads to'],
  ['ENETUNREACH', 'no_listener', 'no way leads to'],
  ['EAI_AGAIN', 'busy', 'try again later'],
  ['EADDRINUSE', 'address_in_use', 'another port'],
  ['EADDRNOTAVAIL', 'bad_address', 'does not have the host'],
  ['EACCES', 'permission_denied', 'below 1024'],
  ['EMFILE', 'busy', 'ulimit -n'],
  ['ECONNRESET', 'closed', 'broke'],
  ['ETIMEDOUT', 'deadline_exceeded', 'gave up'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'peer_rejected', 'tls: { ca }'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'peer_rejected', 'tls: { ca }'],
  ['CERT_HAS_EXPIRED', 'peer_rejected', 'refused: made up'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'peer_rejected', 'refused: made up'],
  ['INVALID_PURPOSE', 'peer_rejected', 'refused: made up'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'unsupported_protocol', 'does not speak TLS'],
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'unsupported_protocol', ': tlsv1 alert protocol version'],
  ['ERR_TLS_HANDSHAKE_TIMEOUT', 'deadline_exceeded', 'limits.handshakeMs'],
  ['EXOTIC', 'internal', 'made up'],
] as const)('fromSocketError makes %s over TCP into %s', (name, code, words) => {
  const cause = systemError(name)
  const error = fromSocketError(cause, 'connect to', 'tcp://127.0.0.1:7000')
  expect(error).toMatchObject({ code, cause })
  expect(error.sentence).toContain(words)
  expect(error.sentence).toContain('tcp://127.0.0.1:7000')
  expect(error.sentence).toMatch(/^[a-z].*[^.]$/)
})

test.each([
  ['ENOENT', 'no_listener', 'nobody listens'],
  ['EADDRINUSE', 'address_in_use', 'another name'],
  ['EACCES', 'permission_denied', 'another user'],
  ['EPERM', 'permission_denied', 'another user'],
  ['EPIPE', 'closed', 'broke'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'internal', 'made up'],
] as const)('fromSocketError makes %s at a named pipe into %s', (name, code, words) => {
  const error = fromSocketError(systemError(name), 'connect to', 'pipe:node')
  expect(error.code).toBe(code)
  expect(error.sentence).toContain(words)
  expect(error.sentence).toContain('pipe:node')
})

test('fromSocketError speaks of a path as the file system does', () => {
  const error = fromSocketError(systemError('ECONNREFUSED'), 'connect to', '/run/app.sock')
  expect(error.message).toContain('the socket at /run/app.sock is stale')
})

test('fromSocketError leaves our own errors alone, and takes what is no error', () => {
  const own = new PosternError('cancelled', 'made up')
  expect(fromSocketError(own, 'connect to', 'tcp://x:1')).toBe(own)
  expect(fromSocketError('what', 'connect to', 'tcp://x:1')).toMatchObject({ code: 'internal' })
})

function systemError(code: string): Error {
  return Object.assign(new Error('made up'), { code })
}
