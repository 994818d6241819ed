/**
 * Functions around every call, at a server or at a client: `(call, next) => next(call)`.
 */

/**
 * Sees a call before it goes on and its outcome as it comes back. It may change either, refuse by throwing, or answer
 * itself by not calling `next`. Runs once a call; `next` is called at most once.
 */
export type Middleware<Call> = (call: Call, next: (call: Call) => unknown) => unknown

/** The function that runs all of them, the first outermost, around the last step. */
export function compose<Call>(
  middleware: readonly Middleware<Call>[],
  last: (call: Call) => unknown,
): (call: Call) => unknown {
  return middleware.reduceRight<(call: Call) => unknown>((next, layer) => (call) => layer(call, next), last)
}

/** Throws `TypeError` for what is no list of functions. */
export function checkMiddleware(use: unknown): void {
  if (!Array.isArray(use) || use.some((layer) => typeof layer !== 'function'))
    throw new TypeError('use is an array of functions (call, next) => next(call)')
}
