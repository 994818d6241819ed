/**
 * One address of a server: takes connections, within its limits, and holds the conversations that come of them.
 */

import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { Address } from '../core/address.ts'
import type { Channel, Listener } from '../core/channel.ts'
import { PosternError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'
import type { Stream } from '../core/stream.ts'
import { type Tap, tapChannel } from '../core/tap.ts'
import type { QueueBudget } from '../framing/queue-budget.ts'
import type { CallHandler, Caller } from '../rpc/incoming-call.ts'
import { Session } from '../rpc/session.ts'
import { quietMs } from '../rpc/session-times.ts'
import type { ServerTls } from '../transports/tls.ts'
import { type Conversation, jsonConversation } from './conversation.ts'
import type { Admission } from './allow.ts'
import type { OnError } from './error-log.ts'
import type { ConversationName } from './first-bytes.ts'
import { type ListenRequest, mechanismOf } from './mechanisms.ts'
import { dropped, Places } from './places.ts'
import { sniff } from './sniff.ts'
import { turnAway } from './turn-away.ts'

/** What an address offers, and what it needs of its server. */
export interface ServedAddressOptions {
  readonly address: Address
  /** Answers the calls that come here. */
  readonly handler: CallHandler
  readonly limits: Limits
  /** What all addresses of the server may queue together. */
  readonly budget: QueueBudget
  readonly tap: Tap | undefined
  /** Whether what a connection shows first is the token, where one is required. */
  readonly authenticate: ((shown: unknown) => boolean) | undefined
  /** The conversations that are taken; all when undefined. */
  readonly accepts: readonly ConversationName[] | undefined
  /** The group whose members may connect. */
  readonly group: string | number | undefined
  /** Who of those that can connect is let in; all when undefined. */
  readonly admission: Admission | undefined
  /** Whether others than this user and root are let in by who they are. */
  readonly forOthers: boolean
  readonly tls: ServerTls | undefined
  readonly onError: OnError
  readonly onLost: (error: PosternError) => void
  /** Whether the clients are known to be Postern. */
  readonly postern: boolean
  /** How handlers call back. */
  readonly clientOf: (session: Session) => Caller
}

/** What a connection holds. */
interface Placed {
  /** Gives its place back. */
  readonly leave: () => void
  /** It has shown the token, or gone; where none is required, and until it is asked for one, undefined. */
  readonly admitted?: (() => void) | undefined
}

export class ServedAddress {
  readonly #options: ServedAddressOptions
  readonly #sessions = new Set<Session>()
  /** Connections that have not said a byte. */
  readonly #silent = new Set<Stream>()
  /** Connections that have not shown the token. */
  #unauthenticated = 0
  readonly #places: Places
  #listener: Listener | undefined
  #closing = false

  constructor(options: ServedAddressOptions) {
    this.#options = options
    this.#places = new Places(options.limits)
  }

  /** As a client writes it. */
  get published(): string {
    return this.#listener?.address ?? this.#options.address.text
  }

  get connections(): number {
    return this.#sessions.size + this.#silent.size
  }

  async listen(): Promise<void> {
    const { address, forOthers, group, limits, onError, onLost, tls } = this.#options
    const { codec, framing, spinUs } = address.parameters
    if (codec !== undefined || framing !== undefined) {
      throw new PosternError(
        'not_supported',
        `${address.text}: a server finds out codec and framing itself; leave the parameters out, or say with "accepts" which it takes`,
      )
    }
    if (address.scheme === 'spawn') {
      const sentence = `${address.text} is an address to connect to; a program that is started serves at stdio:`
      throw new PosternError('bad_address', sentence)
    }
    const mechanism = await mechanismOf(address)
    if (mechanism.carries === 'frames' && this.#options.accepts !== undefined)
      throw new PosternError('not_supported', `${address.text} carries JSON alone so far; leave "accepts" out`)
    const request: ListenRequest = {
      limits,
      onLost,
      forOthers,
      onError: (error) => onError(error, address.text),
      ...(group === undefined ? {} : { group }),
      ...(tls === undefined ? {} : { tls }),
      ...(spinUs === undefined ? {} : { spinUs }),
    }
    this.#listener =
      mechanism.carries === 'frames'
        ? await mechanism.listen(address.target, request, (channel) => {
            const leave = this.#place(channel)
            if (leave !== undefined) this.#converse(channel, jsonConversation, { leave })
          })
        : await mechanism.listen(address.target, request, (stream) => this.#accept(stream))
  }

  /** Resolves when no connection can come any more. Undefined: one always can. */
  get exhausted(): Promise<void> | undefined {
    return this.#listener?.exhausted
  }

  /** Gives the name back: who connects from here on finds nobody. */
  async release(): Promise<void> {
    this.#closing = true
    await this.#listener?.close()
  }

  releaseSync(): void {
    this.#listener?.closeSync()
  }

  /** Ends the conversations, after what they have under way. */
  async endAll(): Promise<void> {
    // Who has just connected may have a call on its way.
    if (this.#silent.size > 0) {
      await sleep(quietMs)
      // What has already arrived is read behind the timers.
      await nextTurn()
    }
    for (const stream of this.#silent) stream.abort()
    await Promise.all([...this.#sessions].map((session) => session.close()))
  }

  /** Who may not use the address is told so, and holds a place until that is read. */
  #accept(stream: Stream): void {
    const { address, admission, onError } = this.#options
    const leave = this.#place(stream)
    if (leave === undefined) return
    const refusal = admission?.(stream.peer)
    if (refusal === undefined) {
      this.#listenTo(stream, leave)
      return
    }
    void turnAway(stream, refusal).then(leave)
    onError(refusal, address.text)
  }

  /** A stream that has said nothing yet costs its place and no more; where a token is required, it has little time. */
  #listenTo(stream: Stream, leave: () => void): void {
    const { accepts, budget, limits, onError, address, authenticate } = this.#options
    this.#silent.add(stream)
    const tooLate = (reason: PosternError): void => {
      // A conversation tells of its end itself.
      if (this.#silent.has(stream)) onError(reason, address.text)
      stream.abort(reason)
    }
    const admitted = authenticate === undefined ? undefined : this.#admission(tooLate)
    sniff(
      stream,
      { side: 'server', limits, budget, accepts },
      {
        onChannel: (channel, conversation) => {
          this.#silent.delete(stream)
          this.#converse(channel, conversation, { leave, admitted })
        },
        onRefused: (error, told) => {
          this.#silent.delete(stream)
          admitted?.()
          void told.then(leave)
          onError(error, address.text)
        },
        onGone: () => {
          this.#silent.delete(stream)
          admitted?.()
          leave()
        },
      },
    )
  }

  /** A place for one more connection, which the function gives back. Undefined: there is none, and it is dropped. */
  #place(connection: Stream | Channel): (() => void) | undefined {
    const { address, limits, onError } = this.#options
    const { maxUnauthenticated } = limits
    let lack = this.#places.lack(connection.peer)
    if (this.#unauthenticated >= maxUnauthenticated)
      lack ??= dropped('maxUnauthenticated', maxUnauthenticated, 'have not shown their token')
    if (lack === undefined && !this.#closing) return this.#places.take(connection.peer)
    connection.abort()
    if (lack !== undefined && !this.#closing) onError(lack, address.text)
    return undefined
  }

  /** Counts a connection as unauthenticated until the function returned is called; `tooLate` runs after `handshakeMs`. */
  #admission(tooLate: (reason: PosternError) => void): () => void {
    const { handshakeMs } = this.#options.limits
    this.#unauthenticated++
    const timer = setTimeout(() => {
      tooLate(new PosternError('deadline_exceeded', `no token within limits.handshakeMs (${handshakeMs} ms)`))
    }, handshakeMs)
    let over = false
    return () => {
      if (over) return
      over = true
      clearTimeout(timer)
      this.#unauthenticated--
    }
  }

  #converse(
    channel: Channel,
    { protocol, cancelMethod, probe }: Omit<Conversation, 'framing'>,
    { leave, admitted: admittedBefore }: Placed,
  ): void {
    const { address, authenticate, clientOf, handler, limits, onError, postern, tap } = this.#options
    const admitted =
      admittedBefore ?? (authenticate === undefined ? undefined : this.#admission((reason) => channel.abort(reason)))
    const session = new Session(tap === undefined ? channel : tapChannel(channel, tap), {
      side: 'server',
      address: address.text,
      protocol,
      cancelMethod,
      probe,
      limits,
      integers: 'bigint',
      handler,
      postern,
      onError,
      clientOf,
      ...(authenticate === undefined ? {} : { authenticate }),
      ...(admitted === undefined ? {} : { onAuthenticated: admitted }),
    })
    this.#sessions.add(session)
    void session.closed.then((reason) => {
      this.#sessions.delete(session)
      admitted?.()
      leave()
      // That a peer has gone is no news; that it was cut off is.
      if (reason !== undefined && reason.code !== 'closed') onError(reason, address.text)
    })
    session.start()
    if (this.#closing) void session.close()
  }
}
