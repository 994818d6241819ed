/**
 * What every Postern server answers beside its service, as the commands use it.
 */

import type { Connection } from '../app/connection.ts'
import { nowMs } from '../core/deadline.ts'
import { isPosternError } from '../core/errors.ts'

/** How a server answered. */
export interface Pong {
  readonly ms: number
  /** Whether it answered as Postern does. Others know no `rpc.ping`, but say so, which is an answer too. */
  readonly postern: boolean
}

/** Asks a server whether it is there. Rejects when no answer comes, not when the answer is an error. */
export async function ping(connection: Connection): Promise<Pong> {
  const startMs = nowMs()
  try {
    const answer = await connection.call('rpc.ping')
    return { ms: nowMs() - startMs, postern: answer === 'pong' }
  } catch (error) {
    if (!isAnswer(error)) throw error
    // Ours that asks for a token says how it is shown.
    return { ms: nowMs() - startMs, postern: (error as Error).message.includes('rpc.auth') }
  }
}

/** Whether an error is what a server answered, with the number that it gave, and not the lack of an answer. */
export function isAnswer(error: unknown): boolean {
  if (!isPosternError(error)) return false
  const { details } = error
  return typeof details === 'object' && details !== null && 'code' in details && typeof details.code === 'number'
}
