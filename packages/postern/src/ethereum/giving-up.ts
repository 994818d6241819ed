/** Waits that are over when their caller has had enough, though what is waited for goes on for others. */

import { PosternError } from '../core/errors.ts'

/** When a caller has had enough. */
export interface GivingUp {
  /** Gives up when it aborts: `cancelled`. */
  readonly signal?: AbortSignal | undefined
  /** Gives up after so long: `closed`, for nothing has been sent. */
  readonly timeoutMs?: number | undefined
}

/** The promise's outcome, or before that the rejection which says who gave up and why. */
export function sooner<T>(promise: Promise<T>, what: string, { signal, timeoutMs }: GivingUp): Promise<T> {
  if (signal === undefined && timeoutMs === undefined) return promise
  return new Promise((resolve, reject) => {
    const abort = (): void =>
      reject(new PosternError('cancelled', `${what} was cancelled by its caller`, { cause: signal?.reason }))
    const late = (): void =>
      reject(new PosternError('closed', `${what}: no connection within timeoutMs (${timeoutMs} ms)`))
    const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs)
    if (signal?.aborted === true) abort()
    else signal?.addEventListener('abort', abort, { once: true })
    void promise.then(resolve, reject).finally(() => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    })
  })
}
