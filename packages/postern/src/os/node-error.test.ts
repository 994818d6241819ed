import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { PosternError } from '../core/errors.ts'
import { fromNodeError, nodeErrorCode } from './node-error.ts'

test.each([
  ['ECONNREFUSED', 'no_listener', 'stale'],
  ['ENOENT', 'no_listener', 'nothing is at'],
  ['EACCES', 'permission_denied', 'may not connect to'],
  ['EPERM', 'permission_denied', 'may not connect to'],
  ['EROFS', 'permission_denied', 'read-only'],
  ['EADDRINUSE', 'address_in_use', 'live server'],
  ['EAGAIN', 'busy', 'backlog'],
  ['EMFILE', 'busy', 'ulimit -n'],
  ['ENFILE', 'busy', 'ulimit -n'],
  ['ENOBUFS', 'busy', 'memory'],
  ['ENOSPC', 'busy', 'disk is full'],
  ['ECONNRESET', 'closed', 'broke'],
  ['EPIPE', 'closed', 'broke'],
  ['ENOTSOCK', 'bad_address', 'not a socket'],
  ['EPROTOTYPE', 'bad_address', 'another type'],
  ['ENAMETOOLONG', 'bad_address', 'longer'],
  ['ENOTDIR', 'bad_address', 'not a directory'],
  ['ELOOP', 'bad_address', 'loop'],
  ['EOPNOTSUPP', 'not_supported', 'another directory'],
  ['EXOTIC', 'internal', 'EXOTIC: made up'],
] as const)('fromNodeError makes %s into %s', (name, code, words) => {
  const cause = systemError(name)
  const error = fromNodeError(cause, 'connect to', '/run/app.sock')
  expect(error).toMatchObject({ code, cause })
  expect(error.sentence).toContain(words)
  expect(error.sentence).toContain('/run/app.sock')
  expect(error.sentence).toMatch(/^[a-z/].*[^.]$/)
})

test('fromNodeError tells mode and owner of what may not be used', async () => {
  const directory = await temporaryDirectory()
  const path = join(directory, 'a')
  writeFileSync(path, '', { mode: 0o640 })
  const uid = process.geteuid?.()
  expect(fromNodeError(systemError('EACCES'), 'connect to', path).sentence).toContain(
    `it has mode 0640 and owner uid ${uid}, this process runs as uid ${uid}`,
  )
  expect(fromNodeError(systemError('EACCES'), 'connect to', join(directory, 'x/y')).sentence).toContain(
    `${directory} has mode 0700`,
  )
})

test('fromNodeError keeps a PosternError and takes what is no error at all', () => {
  const error = new PosternError('busy', 'try later')
  expect(fromNodeError(error, 'connect to', '/x')).toBe(error)
  expect(fromNodeError('odd', 'connect to', '/x')).toMatchObject({ code: 'internal', cause: 'odd' })
})

test('nodeErrorCode is undefined for what is no system error', () => {
  expect(nodeErrorCode(systemError('EPIPE'))).toBe('EPIPE')
  expect(nodeErrorCode(new Error('plain'))).toBeUndefined()
  expect(nodeErrorCode(Object.assign(new Error('odd'), { code: 7 }))).toBeUndefined()
  expect(nodeErrorCode(undefined)).toBeUndefined()
})

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: made up`), { code })
}
