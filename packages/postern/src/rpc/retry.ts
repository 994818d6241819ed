/**
 * Tries again, with growing and jittered pauses, what failed in a way that may pass.
 */

import { nowMs } from '../core/deadline.ts'
import { isPosternError, PosternError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'

/** What bounds the attempts. */
export interface RetryOptions {
  readonly limits: Pick<Limits, 'retries' | 'retryMinMs' | 'retryMaxMs' | 'connectMs'>
  readonly signal?: AbortSignal | undefined
  /** Between 0 and 1, as `Math.random`. */
  readonly random?: () => number
}

/**
 * The first success of `attempt`. Rejects with its error when that is not retryable, when `retries` are spent or when
 * the next pause would lead beyond `connectMs`.
 */
export async function retry<T>(
  attempt: () => Promise<T>,
  { limits, signal, random = Math.random }: RetryOptions,
): Promise<T> {
  const endMs = nowMs() + limits.connectMs
  for (let retries = 0; ; retries++) {
    try {
      return await attempt()
    } catch (error) {
      if (!isPosternError(error) || !error.retryable || retries >= limits.retries) throw error
      const delayMs = pauseMs(retries, limits, random)
      if (nowMs() + delayMs > endMs) throw error
      await pause(delayMs, signal)
    }
  }
}

/** Half fixed, half chance: clients that lost the same server do not come back in the same moment. */
export function pauseMs(
  retries: number,
  { retryMinMs, retryMaxMs }: Pick<Limits, 'retryMinMs' | 'retryMaxMs'>,
  random: () => number,
): number {
  const fullMs = Math.min(retryMaxMs, retryMinMs * 2 ** retries)
  return fullMs * (0.5 + random() / 2)
}

/**
 * How long a client that lost its server waits before the attempt of this number. All chance: the clients of one server
 * lose it in the same moment, so already their first attempts are spread over twenty times `retryMinMs` (1 s), and the
 * later ones over twice as much each time, up to `retryMaxMs`.
 */
export function reconnectPauseMs(
  attempt: number,
  { retryMinMs, retryMaxMs }: Pick<Limits, 'retryMinMs' | 'retryMaxMs'>,
  random: () => number,
): number {
  return Math.min(retryMaxMs, firstSpread * retryMinMs * 2 ** attempt) * random()
}

const firstSpread = 20

/** Rejects with `cancelled` when the signal aborts. */
export function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer)
      reject(new PosternError('cancelled', 'connecting was cancelled by its caller', { cause: signal?.reason }))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }, delayMs)
    if (signal?.aborted === true) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  })
}
