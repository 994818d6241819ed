import { expect, test } from 'vitest'
import { RawValue } from './codec.ts'
import { structured } from './structured.ts'

const value = { map: new Map([[1, { a: -0 }]]), at: new Date(0), none: undefined, large: 2n ** 70n, nan: Number.NaN }

test('structured gives back what structuredClone does', () => {
  expect(structured.decode(structured.encode(value))).toStrictEqual(structuredClone(value))
})

test('structured refuses what cannot be cloned', () => {
  expect(() => structured.encode([() => 1])).toThrow(TypeError)
  expect(() => structured.encode([() => 1])).toThrow('the value cannot be cloned for another thread: ')
})

test('structured refuses bytes that are no value', () => {
  for (const bytes of [Buffer.alloc(0), Buffer.from('text'), structured.encode(value).subarray(0, 9)]) {
    expect(() => structured.decode(bytes)).toThrow('[bad_frame] a frame is no value of another thread')
  }
})

test('structured leaves the item that is asked for as bytes', () => {
  const frame = structured.encode([1, value])
  const [first, raw] = structured.decode(frame, { rawItem: 1 }) as [number, RawValue]
  expect(first).toBe(1)
  expect(raw).toBeInstanceOf(RawValue)
  expect(structured.decode(raw.bytes)).toStrictEqual(value)
  expect(structured.decode(frame, { rawItem: 2 })).toStrictEqual([1, value])
  expect(structured.decode(structured.encode('text'), { rawItem: 0 })).toBe('text')
})

test('structured sees nothing in a head', () => {
  expect(structured.peekIntegers(structured.encode([1, 2]))).toEqual([])
})
