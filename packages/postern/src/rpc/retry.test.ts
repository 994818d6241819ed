import { expect, test, vi } from 'vitest'
import { PosternError } from '../core/errors.ts'
import { seededRandom } from '../testing/seeded-random.ts'
import { pause, pauseMs, reconnectPauseMs, retry } from './retry.ts'

const limits = { retries: 3, retryMinMs: 10, retryMaxMs: 40, connectMs: 1_000 }
const refused = new PosternError('no_listener', 'nobody is there')

test('pauseMs doubles up to the longest, half of it by chance', () => {
  const all = (random: number) => [0, 1, 2, 3, 9].map((retries) => pauseMs(retries, limits, () => random))
  expect(all(0)).toEqual([5, 10, 20, 20, 20])
  expect(all(1)).toEqual([10, 20, 40, 40, 40])
})

test('retry gives the first success', async () => {
  const attempt = vi.fn<() => Promise<string>>().mockRejectedValueOnce(refused).mockResolvedValue('here')
  expect(await retry(attempt, { limits })).toBe('here')
  expect(attempt).toHaveBeenCalledTimes(2)
})

test('retry gives up after its retries, and at once where trying again cannot help', async () => {
  const never = vi.fn<() => Promise<never>>().mockRejectedValue(refused)
  await expect(retry(never, { limits, random: () => 0 })).rejects.toBe(refused)
  expect(never).toHaveBeenCalledTimes(4)
  const rejected = new PosternError('peer_rejected', 'a stranger')
  const hopeless = vi.fn<() => Promise<never>>().mockRejectedValue(rejected)
  await expect(retry(hopeless, { limits })).rejects.toBe(rejected)
  expect(hopeless).toHaveBeenCalledTimes(1)
})

test('retry does not begin a pause that would lead beyond connectMs', async () => {
  const never = vi.fn<() => Promise<never>>().mockRejectedValue(refused)
  await expect(retry(never, { limits: { ...limits, retryMinMs: 5_000, retryMaxMs: 5_000 } })).rejects.toBe(refused)
  expect(never).toHaveBeenCalledTimes(1)
})

test('retry stops in the middle of a pause when its signal aborts', async () => {
  const controller = new AbortController()
  const never = vi.fn<() => Promise<never>>().mockImplementation(() => {
    setImmediate(() => controller.abort())
    return Promise.reject(refused)
  })
  const slow = { ...limits, retryMinMs: 900, retryMaxMs: 900 }
  await expect(retry(never, { limits: slow, signal: controller.signal })).rejects.toThrow('[cancelled]')
})

const clients = { retryMinMs: 50, retryMaxMs: 5_000 }

test('reconnectPauseMs is all chance, from nothing to twenty times retryMinMs, then twice as much each time up to retryMaxMs', () => {
  const all = (random: number) =>
    [0, 1, 2, 3, 4, 1_100].map((attempt) => reconnectPauseMs(attempt, clients, () => random))
  expect(all(0)).toEqual([0, 0, 0, 0, 0, 0])
  expect(all(0.5)).toEqual([500, 1_000, 2_000, 2_500, 2_500, 2_500])
  expect(all(1)).toEqual([1_000, 2_000, 4_000, 5_000, 5_000, 5_000])
  expect(reconnectPauseMs(0, { retryMinMs: 400, retryMaxMs: 1_000 }, () => 1)).toBe(1_000)
})

test('reconnectPauseMs spreads the clients of one server evenly', () => {
  const random = seededRandom(1)
  for (const attempt of [0, 1, 2, 3]) {
    const widestMs = reconnectPauseMs(attempt, clients, () => 1)
    const tenths = Array.from({ length: 10 }, () => 0)
    for (let client = 0; client < 10_000; client++) {
      const tenth = Math.floor((10 * reconnectPauseMs(attempt, clients, () => random.fraction())) / widestMs)
      tenths[tenth] = (tenths[tenth] ?? 0) + 1
    }
    expect(tenths).toHaveLength(10)
    for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(150)
  }
})

test('pause resolves after its time, rejects at once where its signal aborts, and leaves no listener', async () => {
  const controller = new AbortController()
  const { signal } = controller
  const listening = vi.spyOn(signal, 'addEventListener')
  const leaving = vi.spyOn(signal, 'removeEventListener')
  await pause(1, signal)
  expect(listening).toHaveBeenCalledTimes(1)
  expect(leaving).toHaveBeenCalledTimes(1)
  const long = pause(60_000, signal)
  controller.abort(new Error('enough'))
  await expect(long).rejects.toMatchObject({ code: 'cancelled', cause: { message: 'enough' } })
  await expect(pause(60_000, signal)).rejects.toThrow('[cancelled]')
})
