import { expect, test } from 'vitest'
import { resolveLimits } from '../core/limits.ts'
import { CallSlots } from './flow-control.ts'

test('CallSlots lets so many run, so many wait, and refuses the next', () => {
  const slots = new CallSlots<number>(resolveLimits({ maxRunning: 2, maxWaiting: 3 }))
  const admitted = [1, 2, 3, 4, 5, 6].map((call) => slots.admit(call, 10, true))
  expect(admitted).toEqual(['run', 'run', 'wait', 'wait', 'wait', 'overloaded'])
  expect(slots.next()).toBe(undefined)
  slots.release()
  expect(slots.next()).toBe(3)
  expect(slots.next()).toBe(undefined)
  expect(slots.admit(7, 10, true)).toBe('wait')
  expect(slots.clear()).toEqual([4, 5, 7])
  slots.release()
  slots.release()
  expect(slots.idle).toBe(true)
})

test('CallSlots counts the bytes that wait: up to twice maxCallBytes', () => {
  const slots = new CallSlots<number>(resolveLimits({ maxRunning: 1, maxCallBytes: 100 }))
  const admitted = [100, 100, 99, 1, 1].map((bytes, call) => slots.admit(call, bytes, true))
  expect(admitted).toEqual(['run', 'wait', 'wait', 'wait', 'overloaded'])
  slots.release()
  slots.next()
  expect(slots.admit(9, 100, true)).toBe('wait')
})

test('CallSlots starts none while its channel is full, and keeps the order', () => {
  const slots = new CallSlots<number>(resolveLimits({ maxRunning: 2 }))
  expect(slots.admit(1, 1, false)).toBe('wait')
  expect(slots.admit(2, 1, true)).toBe('wait')
  expect(slots.next()).toBe(1)
})

test('CallSlots keeps its order over a long queue that never empties', () => {
  const slots = new CallSlots<number>(resolveLimits({ maxRunning: 1, maxWaiting: 1_000 }))
  let last = 0
  for (let call = 1; call <= 900; call++) slots.admit(call, 1, true)
  for (let call = 901; call <= 5_000; call++) {
    slots.admit(call, 1, true)
    slots.release()
    const next = slots.next() ?? 0
    expect(next).toBeGreaterThan(last)
    last = next
  }
  expect(last).toBe(4_101)
})
