import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { isPosternError, PosternError } from '../core/errors.ts'
import { type Outcome, type PendingCall, PendingCalls } from './pending-calls.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

interface Followed {
  readonly outcomes: Outcome[]
  readonly call: PendingCall
}

function follow(pending: PendingCalls, timeoutMs: number, options: PendingCall['options'] = {}): Followed {
  const outcomes: Outcome[] = []
  return {
    outcomes,
    call: pending.add({
      method: 'm',
      options,
      timeoutMs,
      tracing: undefined,
      settle: (outcome) => outcomes.push(outcome),
    }),
  }
}

const codeOf = ({ outcomes: [outcome] }: Followed): unknown =>
  outcome !== undefined && 'error' in outcome && isPosternError(outcome.error) ? outcome.error.code : outcome

test('PendingCalls ends each call at its own deadline, once, and tells of it', () => {
  const givenUp: PendingCall[] = []
  const pending = new PendingCalls(Number.MAX_SAFE_INTEGER, (call) => givenUp.push(call))
  const [late, soon] = [follow(pending, 1_000), follow(pending, 100)]
  vi.advanceTimersByTime(99)
  expect(pending.size).toBe(2)
  vi.advanceTimersByTime(2)
  expect(codeOf(soon)).toBe('deadline_exceeded')
  expect(late.outcomes).toEqual([])
  vi.advanceTimersByTime(1_000)
  expect(codeOf(late)).toBe('deadline_exceeded')
  expect(givenUp).toEqual([soon.call, late.call])
  expect(pending.settle(soon.call.id, { value: 1 })).toBe(false)
  expect(soon.outcomes).toHaveLength(1)
  expect(vi.getTimerCount()).toBe(0)
})

test('PendingCalls renews the deadline of the call whose answer arrives, and of all where nobody knows', () => {
  const pending = new PendingCalls(Number.MAX_SAFE_INTEGER, () => undefined)
  const onProgress = vi.fn()
  const [one, other] = [follow(pending, 100, { onProgress }), follow(pending, 100)]
  vi.advanceTimersByTime(80)
  pending.progress(one.call, 5)
  vi.advanceTimersByTime(40)
  expect(codeOf(other)).toBe('deadline_exceeded')
  expect(one.outcomes).toEqual([])
  pending.progress(undefined, 9)
  vi.advanceTimersByTime(90)
  expect(one.outcomes).toEqual([])
  vi.advanceTimersByTime(20)
  expect(codeOf(one)).toBe('deadline_exceeded')
  expect(onProgress.mock.calls).toEqual([[5]])
})

test('PendingCalls gives up a call whose signal aborts, and listens no longer', () => {
  const pending = new PendingCalls(Number.MAX_SAFE_INTEGER, () => undefined)
  const controller = new AbortController()
  const followed = follow(pending, 100, { signal: controller.signal })
  controller.abort()
  expect(codeOf(followed)).toBe('cancelled')
  expect(pending.size).toBe(0)
})

test('PendingCalls ends all with what is said of each', () => {
  const pending = new PendingCalls(Number.MAX_SAFE_INTEGER, () => undefined)
  const all = [follow(pending, 100), follow(pending, 100, { raw: true })]
  expect(pending.hasRaw).toBe(true)
  pending.settleAll(({ id }) => new PosternError(id === 1 ? 'closed' : 'unknown_outcome', 'gone'))
  expect(all.map(codeOf)).toEqual(['closed', 'unknown_outcome'])
  expect(pending.hasRaw).toBe(false)
  expect(pending.sole()).toBe(undefined)
  expect(vi.getTimerCount()).toBe(0)
})

test('PendingCalls begins again behind the largest id, and skips those that wait', () => {
  const pending = new PendingCalls(3, () => undefined)
  const add = (): number =>
    pending.add({ method: 'm', options: {}, timeoutMs: 60_000, settle: () => undefined, tracing: undefined }).id
  expect([add(), add(), add()]).toEqual([1, 2, 3])
  pending.settle(1, { value: 1 })
  pending.settle(3, { value: 3 })
  expect([add(), add()]).toEqual([1, 3])
  pending.settle(2, { value: 2 })
  expect(add()).toBe(2)
  pending.settleAll(() => new PosternError('closed', 'over'))
})
