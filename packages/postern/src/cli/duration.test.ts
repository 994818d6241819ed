import { expect, test } from 'vitest'
import { parseDuration } from './duration.ts'
import { UsageError } from './usage-error.ts'

test.each([
  ['5s', 5_000],
  ['5', 5_000],
  ['1.5', 1_500],
  ['500ms', 500],
  ['2m', 120_000],
  ['1h', 3_600_000],
  ['596h', 2_145_600_000],
])('parseDuration reads %s as %i ms', (text, ms) => {
  expect(parseDuration(text, '--timeout')).toBe(ms)
})

test.each(['', '0', '0.1ms', '-1', '5x', '5 s', 's', '1e3', 'Infinity', '597h', '99999999999999999999'])(
  'parseDuration refuses %j',
  (text) => {
    expect(() => parseDuration(text, '--timeout')).toThrow(UsageError)
    expect(() => parseDuration(text, '--timeout')).toThrow('--timeout takes a time from 1ms to 596h, as 5s')
  },
)
