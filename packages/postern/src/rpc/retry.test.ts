import { expect, test, vi } from 'vitest'
import { PosternError } from '../core/errors.ts'
import { pauseMs, retry } from './retry.ts'

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
