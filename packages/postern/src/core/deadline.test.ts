import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { DeadlineTimer, maxTimerMs, nowMs } from './deadline.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
})

afterEach(() => {
  vi.useRealTimers()
})

/** A timer over a set of deadlines, as its owners have them: it ends what is overdue and counts how often it woke. */
function deadlines(): { timer: DeadlineTimer; due: Map<string, number>; ended: string[]; woken: () => number } {
  const due = new Map<string, number>()
  const ended: string[] = []
  let woken = 0
  const timer = new DeadlineTimer((now) => {
    woken++
    for (const [name, dueMs] of due) {
      if (dueMs > now) continue
      due.delete(name)
      ended.push(name)
    }
    return Math.min(Number.POSITIVE_INFINITY, ...due.values())
  })
  return { timer, due, ended, woken: () => woken }
}

test('DeadlineTimer wakes at the earliest deadline, then at the next', () => {
  const { timer, due, ended, woken } = deadlines()
  const start = nowMs()
  for (const [name, ms] of [
    ['late', 300],
    ['early', 100],
    ['middle', 200],
  ] as const) {
    due.set(name, start + ms)
    timer.expect(start + ms)
  }
  expect(vi.getTimerCount()).toBe(1)
  vi.advanceTimersByTime(99)
  expect(ended).toEqual([])
  vi.advanceTimersByTime(1)
  expect(ended).toEqual(['early'])
  vi.advanceTimersByTime(200)
  expect(ended).toEqual(['early', 'middle', 'late'])
  expect(woken()).toBe(3)
  expect(vi.getTimerCount()).toBe(0)
})

test('DeadlineTimer costs nothing when a deadline is renewed, and ends it at the later time', () => {
  const { timer, due, ended, woken } = deadlines()
  const start = nowMs()
  due.set('call', start + 100)
  timer.expect(start + 100)
  for (let ms = 10; ms < 100; ms += 10) {
    vi.advanceTimersByTime(10)
    due.set('call', nowMs() + 100)
  }
  expect(woken()).toBe(0)
  vi.advanceTimersByTime(99)
  expect(ended).toEqual([])
  vi.advanceTimersByTime(1)
  expect(ended).toEqual(['call'])
  expect(woken()).toBe(2)
})

test('DeadlineTimer has one timer and sets it again only for an earlier deadline', () => {
  const { timer, due } = deadlines()
  const start = nowMs()
  due.set('a', start + 100)
  timer.expect(start + 100)
  const set = vi.spyOn(globalThis, 'setTimeout')
  timer.expect(start + 100)
  timer.expect(start + 500)
  expect(set).not.toHaveBeenCalled()
  timer.expect(start + 50)
  expect(set).toHaveBeenCalledOnce()
  expect(vi.getTimerCount()).toBe(1)
})

test('DeadlineTimer ends a deadline that has passed in the next turn, never within expect', () => {
  const { timer, due, ended } = deadlines()
  due.set('past', nowMs() - 1_000)
  timer.expect(nowMs() - 1_000)
  expect(ended).toEqual([])
  vi.advanceTimersByTime(1)
  expect(ended).toEqual(['past'])
})

test('DeadlineTimer waits longer than Node can', () => {
  const { timer, due, ended, woken } = deadlines()
  const due40Days = nowMs() + 40 * 24 * 3_600_000
  due.set('far', due40Days)
  timer.expect(due40Days)
  vi.advanceTimersByTime(maxTimerMs)
  expect(woken()).toBe(1)
  expect(ended).toEqual([])
  vi.advanceTimersByTime(due40Days - maxTimerMs)
  expect(ended).toEqual(['far'])
})

test('DeadlineTimer keeps a deadline that its own wake-up asked for', () => {
  const woken: number[] = []
  const timer: DeadlineTimer = new DeadlineTimer((now) => {
    woken.push(now)
    if (woken.length === 1) timer.expect(now + 10)
    return woken.length === 1 ? now + 100 : Number.POSITIVE_INFINITY
  })
  timer.expect(nowMs() + 50)
  vi.advanceTimersByTime(60)
  expect(woken).toHaveLength(2)
  expect(vi.getTimerCount()).toBe(0)
})

test('DeadlineTimer does nothing once stopped, and can be used again', () => {
  const { timer, due, ended } = deadlines()
  due.set('a', nowMs() + 10)
  timer.expect(nowMs() + 10)
  timer.stop()
  timer.stop()
  expect(vi.getTimerCount()).toBe(0)
  vi.advanceTimersByTime(100)
  expect(ended).toEqual([])
  timer.expect(nowMs() + 10)
  vi.advanceTimersByTime(10)
  expect(ended).toEqual(['a'])
})

test('DeadlineTimer is not moved by the wall clock', () => {
  const { timer, due, ended } = deadlines()
  due.set('a', nowMs() + 100)
  timer.expect(nowMs() + 100)
  vi.setSystemTime(Date.now() + 24 * 3_600_000)
  vi.advanceTimersByTime(99)
  expect(ended).toEqual([])
  vi.setSystemTime(Date.now() - 48 * 3_600_000)
  vi.advanceTimersByTime(1)
  expect(ended).toEqual(['a'])
})
