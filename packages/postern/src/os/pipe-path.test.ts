import { expect, test } from 'vitest'
import { hasNamedPipes, pipePath } from './pipe-path.ts'

test('pipePath has the name of the user in it, written so that it stays one part of a path', () => {
  const path = (user: string) => pipePath('node', { platform: 'win32', user })
  expect(path('alice')).toBe(String.raw`\\.\pipe\postern-alice-node`)
  expect(path('Alice')).toBe(path('alice'))
  expect(path('Zoë B')).toBe(String.raw`\\.\pipe\postern-zo%C3%AB%20b-node`)
  expect(path('..\\x/y')).toBe(String.raw`\\.\pipe\postern-..%5Cx%2Fy-node`)
})

test('pipePath takes the user of this process when none is given', () => {
  expect(pipePath('node', { platform: 'win32' })).toMatch(/^\\\\\.\\pipe\\postern-[^\\/]+-node$/)
})

test.each(['linux', 'darwin'] as const)('pipePath refuses on %s, and says what to use', (platform) => {
  expect(() => pipePath('node', { platform })).toThrow(/^\[not_supported\] pipe:node .* use local:node/)
})

test('hasNamedPipes is true of Windows alone', () => {
  const all = ['win32', 'linux', 'darwin', 'freebsd'] as const
  expect(all.filter((platform) => hasNamedPipes({ platform }))).toEqual(['win32'])
})
