import { expect, test } from 'vitest'
import { nearest } from './nearest.ts'

const commands = ['call', 'sub', 'serve', 'describe']

test.each([
  ['cal', 'call'],
  ['calll', 'call'],
  ['clal', 'call'],
  ['CALL', 'call'],
  ['sbu', 'sub'],
  ['server', 'serve'],
  ['desribe', 'describe'],
  ['subscribe', undefined],
  ['x', undefined],
  ['', undefined],
])('nearest to %j is %j', (word, expected) => {
  expect(nearest(word, commands)).toBe(expected)
  expect(nearest(word, [])).toBeUndefined()
})
