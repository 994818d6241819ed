import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Heartbeat } from './heartbeat.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})

afterEach(() => {
  vi.useRealTimers()
})

const heartbeatMs = 100

function heartbeat({ everyMs = heartbeatMs } = {}) {
  const ask = vi.fn<() => void>()
  const onDead = vi.fn<() => void>()
  const wanted = vi.fn<() => boolean>(() => true)
  return { ask, onDead, wanted, heart: new Heartbeat({ heartbeatMs: everyMs, wanted, ask, onDead }) }
}

const beats = (count: number): unknown => vi.advanceTimersByTime(count * heartbeatMs)

test('Heartbeat asks twice, and takes the silence after that for death, once', () => {
  const { ask, heart, onDead } = heartbeat()
  heart.start()
  beats(2)
  expect(ask).toHaveBeenCalledTimes(2)
  expect(onDead).not.toHaveBeenCalled()
  beats(1)
  expect(onDead).toHaveBeenCalledTimes(1)
  beats(10)
  expect([ask.mock.calls.length, onDead.mock.calls.length]).toEqual([2, 1])
  expect(vi.getTimerCount()).toBe(0)
})

test('Heartbeat asks nothing while something comes in each of its times', () => {
  const { ask, heart, onDead } = heartbeat()
  heart.start()
  for (let time = 0; time < 20; time++) {
    heart.heard()
    beats(1)
  }
  expect(ask).not.toHaveBeenCalled()
  expect(onDead).not.toHaveBeenCalled()
})

test('Heartbeat counts from the beginning after any sign of life', () => {
  const { ask, heart, onDead } = heartbeat()
  heart.start()
  for (let time = 0; time < 5; time++) {
    beats(2)
    heart.heard()
    beats(1)
  }
  expect(ask).toHaveBeenCalledTimes(10)
  expect(onDead).not.toHaveBeenCalled()
  beats(3)
  expect(onDead).toHaveBeenCalledTimes(1)
})

test('Heartbeat stops when nobody wants it, and begins anew when started again', () => {
  const { ask, heart, onDead, wanted } = heartbeat()
  heart.start()
  beats(2)
  wanted.mockReturnValue(false)
  beats(1)
  expect(vi.getTimerCount()).toBe(0)
  wanted.mockReturnValue(true)
  heart.start()
  beats(2)
  expect(ask).toHaveBeenCalledTimes(4)
  expect(onDead).not.toHaveBeenCalled()
  heart.stop()
  beats(10)
  expect(onDead).not.toHaveBeenCalled()
})

test('Heartbeat runs once however often it is started', () => {
  const { ask, heart } = heartbeat()
  heart.start()
  heart.start()
  expect(vi.getTimerCount()).toBe(1)
  beats(1)
  expect(ask).toHaveBeenCalledTimes(1)
  heart.stop()
  expect(vi.getTimerCount()).toBe(0)
})

test('Heartbeat is off when heartbeatMs is 0', () => {
  const { heart } = heartbeat({ everyMs: 0 })
  heart.start()
  expect(vi.getTimerCount()).toBe(0)
})
