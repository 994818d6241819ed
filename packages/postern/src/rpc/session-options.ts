/** What a session is made with. */

import type { Integers } from '../codecs/codec.ts'
import type { OutgoingFrame } from '../core/channel.ts'
import type { Limits } from '../core/limits.ts'
import type { Protocol } from '../protocols/protocol.ts'
import type { CallHandler, Caller } from './incoming-call.ts'
import type { Session } from './session.ts'

/** How a call is taken back: between Postern peers, and with the headers of LSP. */
export type CancelMethod = 'rpc.cancel' | '$/cancelRequest'

/** What a session is told when it is made. */
export interface SessionOptions {
  /** A server says why it ends a conversation that makes no sense; a client drops it and tells its callers. */
  readonly side: 'server' | 'client'
  /** Names the other side in errors. */
  readonly address: string
  readonly protocol: Protocol
  readonly limits: Limits
  /** How unsafe whole numbers in answers are given. */
  readonly integers: Integers
  /** Answers the calls of the other side; without one every call is `unknown_method`. */
  readonly handler?: CallHandler
  /** Whether the other side is known to be Postern, so that `rpc.*` may be sent. */
  readonly postern: boolean
  /** The note that takes a call back; default `rpc.cancel` where the other side is Postern, else none. */
  readonly cancelMethod?: CancelMethod | undefined
  /** What is sent to see whether a peer that only reads is still there. Default: white space, which text may have anywhere. */
  readonly probe?: OutgoingFrame | undefined
  /** Where a token is required: whether this is it. Until then nothing else is answered. */
  readonly authenticate?: (token: unknown) => boolean
  /** The other side has shown the token. */
  readonly onAuthenticated?: () => void
  /** How handlers call back; the session itself when absent. */
  readonly clientOf?: (session: Session) => Caller
  /** Told of what no caller is told: exceptions of handlers, and errors that name no call. */
  readonly onError: (error: unknown, context: string) => void
}
