import { expect, test } from 'vitest'
import { QueueBudget } from './queue-budget.ts'

/** A queue that only says how much it holds and since when, and leaves the budget when it is cut. */
class FakeQueue {
  readonly budget: QueueBudget
  readonly blockedSinceMs: number
  queuedBytes = 0
  readonly cuts: string[] = []

  constructor(budget: QueueBudget, blockedSinceMs: number) {
    this.budget = budget
    this.blockedSinceMs = blockedSinceMs
  }

  hold(bytes: number): void {
    this.queuedBytes = bytes
    this.budget.queued(this)
  }

  cut(sentence: string, limit: string): void {
    this.cuts.push(`${sentence} limits.${limit}`)
    this.queuedBytes = 0
    this.budget.left(this)
  }
}

test('QueueBudget cuts nobody up to its limit', () => {
  const budget = new QueueBudget(100)
  const queues = [new FakeQueue(budget, 1), new FakeQueue(budget, 2)]
  for (const bytes of [49, 50]) for (const queue of queues) queue.hold(bytes)
  expect(queues.map(({ cuts }) => cuts)).toEqual([[], []])
})

test('QueueBudget cuts the one that is blocked for longest, and says why', () => {
  const budget = new QueueBudget(100)
  const [newer, oldest, newest] = [new FakeQueue(budget, 2), new FakeQueue(budget, 1), new FakeQueue(budget, 3)]
  newer.hold(40)
  oldest.hold(30)
  newest.hold(31)
  expect(oldest.cuts).toEqual(['the slowest of all peers was cut: together they exceed limits.maxQueuedTotalBytes'])
  expect([newer.cuts, newest.cuts]).toEqual([[], []])
})

test('QueueBudget cuts until the rest fits, the one that came last among them where it must', () => {
  const budget = new QueueBudget(100)
  const queues = [1, 2, 3, 4].map((since) => new FakeQueue(budget, since))
  for (const queue of queues) queue.hold(20)
  queues[3]?.hold(70)
  expect(queues.map(({ cuts }) => cuts.length)).toEqual([1, 1, 0, 0])
  queues[3]?.hold(101)
  expect(queues.map(({ cuts }) => cuts.length)).toEqual([1, 1, 1, 1])
})

test('QueueBudget counts what a queue holds now, not what it held in all', () => {
  const budget = new QueueBudget(100)
  const queue = new FakeQueue(budget, 1)
  for (let n = 0; n < 50; n++) queue.hold(60 + (n % 2))
  queue.hold(0)
  const other = new FakeQueue(budget, 2)
  other.hold(100)
  expect([queue.cuts, other.cuts]).toEqual([[], []])
})

test('QueueBudget forgets a queue that has left, however often it leaves', () => {
  const budget = new QueueBudget(100)
  const [left, stays] = [new FakeQueue(budget, 1), new FakeQueue(budget, 2)]
  left.hold(90)
  budget.left(left)
  budget.left(left)
  stays.hold(100)
  expect([left.cuts, stays.cuts]).toEqual([[], []])
  stays.hold(101)
  expect([left.cuts.length, stays.cuts.length]).toEqual([0, 1])
})
