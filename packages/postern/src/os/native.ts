/**
 * The door to the native addon, which need not be installed: `@postern/native` is loaded when it is first needed. Its
 * errors become ours here.
 */

import type * as Native from '@postern/native'
import { type ErrorCode, errorCodes, PosternError } from '../core/errors.ts'
import { fromNodeError, nodeErrorCode } from './node-error.ts'

export type { Blob, Link, LinkEvent, LinkOptions, PeerIdentity } from '@postern/native'

/** The addon. */
export type NativeAddon = typeof Native

let loading: Promise<NativeAddon | undefined> | undefined
let reason: unknown

/** The addon, or undefined where it is not installed or does not run here. */
export function findNative(): Promise<NativeAddon | undefined> {
  loading ??= import('@postern/native').catch((error: unknown) => {
    reason = error
    return undefined
  })
  return loading
}

/** The addon. Rejects with `missing_dependency`; `what` is what needs it. */
export async function loadNative(what: string): Promise<NativeAddon> {
  const addon = await findNative()
  if (addon !== undefined) return addon
  const absent = nodeErrorCode(reason) === 'ERR_MODULE_NOT_FOUND'
  const advice = absent ? 'npm install @postern/native' : (reason as Error).message
  throw new PosternError('missing_dependency', `${what} needs the package "@postern/native" (${advice})`, {
    cause: reason,
  })
}

/** The `PosternError` that an error of the addon stands for; `attempt` and `at` as at `fromNodeError`. */
export function fromNativeError(error: unknown, attempt: string, at: string): PosternError {
  const code = nodeErrorCode(error)
  if (code !== undefined && isErrorCode(code))
    return new PosternError(code, `cannot ${attempt} ${at}: ${(error as Error).message}`, { cause: error })
  return fromNodeError(error, attempt, at)
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code)
}
