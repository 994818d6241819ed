import { expect, test } from 'vitest'
import { median, percentile, spread } from '../src/stats.ts'

test('median is the middle sample, or the mean of the middle two', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([10, 9, 1, 2])).toBe(5.5)
  expect(median([7])).toBe(7)
})

test('spread is the smallest and the largest sample, by value and not as text', () => {
  expect(spread([10, 9, 100])).toEqual({ min: 9, max: 100 })
})

test('percentile is the sample that so many do not exceed', () => {
  const samples = Array.from({ length: 200 }, (_, index) => 200 - index)
  expect(percentile(samples, 50)).toBe(100)
  expect(percentile(samples, 99)).toBe(198)
  expect(percentile(samples, 100)).toBe(200)
  expect(percentile([5], 1)).toBe(5)
})

test('all throw RangeError when there are no samples', () => {
  for (const of of [median, spread, (none: number[]) => percentile(none, 50)]) expect(() => of([])).toThrow(RangeError)
})
