import { homedir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { maxSocketPathBytes, resolveSocketPath } from './socket-path.ts'

test.each([
  ['/run/a.sock', '/run/a.sock'],
  ['/run/../tmp//a.sock', '/tmp/a.sock'],
  ['a.sock', join(process.cwd(), 'a.sock')],
  ['./@a', join(process.cwd(), '@a')],
  ['/run/@a', '/run/@a'],
  ['~/a.sock', join(homedir(), 'a.sock')],
])('resolveSocketPath makes %s absolute', (path, absolute) => {
  expect(resolveSocketPath(path)).toBe(absolute)
})

test.each([
  ['', 'empty'],
  ['@name', 'abstract'],
  ['\0name', 'abstract'],
  ['/tmp/a\0b', 'NUL'],
  ['~other/a.sock', 'another user'],
])('resolveSocketPath refuses %j', (path, words) => {
  expect(() => resolveSocketPath(path)).toThrow(expect.objectContaining({ code: 'bad_address' }))
  expect(() => resolveSocketPath(path)).toThrow(words)
})

test('resolveSocketPath counts bytes, not characters, and names both numbers', () => {
  const longest = `/${'a'.repeat(maxSocketPathBytes - 1)}`
  expect(resolveSocketPath(longest)).toBe(longest)
  expect(() => resolveSocketPath(`${longest}b`)).toThrow(
    `${maxSocketPathBytes + 1} bytes, the system allows ${maxSocketPathBytes}`,
  )
  const umlauts = `/${'ü'.repeat(maxSocketPathBytes / 2)}`
  expect(umlauts.length).toBeLessThan(maxSocketPathBytes)
  expect(() => resolveSocketPath(`${umlauts}ü`)).toThrow('bad_address')
})
