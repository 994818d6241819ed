/**
 * What a new connection speaks is told from its first bytes, once, and never asked again.
 */

import type { Channel } from '../core/channel.ts'
import { isPosternError, PosternError } from '../core/errors.ts'
import { excerpt } from '../core/escape.ts'
import type { Stream } from '../core/stream.ts'
import { type FramedChannelOptions, framedChannel } from '../framing/framed-channel.ts'
import { type Conversation, type ConversationChoice, jsonConversation, serverConversation } from './conversation.ts'
import { type ConversationName, conversationNames, recognise, type Spoken } from './first-bytes.ts'
import { SniffedStream } from './sniffed-stream.ts'
import { turnAway } from './turn-away.ts'

/** How a connection is sniffed. */
export interface SniffOptions extends FramedChannelOptions {
  /** The conversations that the address takes; all when undefined. */
  readonly accepts: readonly ConversationName[] | undefined
}

/** Who is told what the first bytes decided. Exactly one of these is called. */
export interface SniffHandlers {
  readonly onChannel: (channel: Channel, conversation: Conversation) => void
  /** The peer speaks something else; it is being told, and dropped then. */
  readonly onRefused: (error: PosternError, told: Promise<void>) => void
  /** The stream is over without having said enough. */
  readonly onGone: () => void
}

/** Waits for the first bytes of the stream and makes a channel of it. A stream that ends without a byte is nothing. */
export function sniff(stream: Stream, options: SniffOptions, handlers: SniffHandlers): void {
  const { accepts, limits } = options
  const { onChannel, onRefused, onGone } = handlers
  const refuse = (error: PosternError, spoken?: Spoken): void =>
    onRefused(error, turnAway(sniffed, error, spoken?.name === 'http' ? httpRefusal(error) : undefined))
  const converse = (conversation: Conversation): void =>
    onChannel(framedChannel(sniffed, conversation.framing, options), conversation)
  const sniffed = new SniffedStream(stream, limits.handshakeMs, {
    first: (bytes) => {
      const spoken = recognise(bytes)
      if (spoken === undefined) return false
      if (!isTaken(spoken, accepts)) refuse(notSpoken(spoken, bytes, accepts), spoken)
      else if (spoken.name === 'json') converse(jsonConversation)
      else void load(spoken)
      return true
    },
    tooLate: (bytes) =>
      refuse(
        new PosternError(
          'deadline_exceeded',
          `after ${excerpt(bytes)} nothing more came within limits.handshakeMs (${limits.handshakeMs} ms)`,
        ),
      ),
    gone: onGone,
  })
  const load = async (choice: ConversationChoice): Promise<void> => {
    let conversation: Conversation
    try {
      conversation = await serverConversation(choice, limits)
    } catch (cause) {
      // Of a defect here the peer is told nothing.
      refuse(isPosternError(cause) ? cause : new PosternError('internal', 'internal error', { cause }))
      return
    }
    if (sniffed.over) onGone()
    else converse(conversation)
  }
}

function isTaken(spoken: Spoken, accepts: readonly ConversationName[] | undefined): spoken is ConversationChoice {
  return 'codec' in spoken && (accepts === undefined || accepts.includes(spoken.name))
}

const foreign: Readonly<Record<string, string>> = {
  http: 'HTTP is not served here',
  grpc: 'gRPC is not served here',
  capnp: "Cap'n Proto is not served here",
  tls: 'TLS is not spoken here',
}

function notSpoken(
  spoken: Spoken,
  first: Uint8Array,
  accepts: readonly ConversationName[] = conversationNames,
): PosternError {
  const what =
    foreign[spoken.name] ?? ('codec' in spoken ? `${spoken.name} is not among them` : `got ${excerpt(first)}`)
  return new PosternError('unsupported_protocol', `this address takes ${accepts.join(', ')}: ${what}`)
}

/** So that curl and browsers show the text. Nothing else of HTTP is known here. */
function httpRefusal(error: PosternError): string {
  const text = `${error.message}\n`
  const head = [
    'HTTP/1.1 501 Not Implemented',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(text)}`,
    'Connection: close',
  ]
  return `${head.join('\r\n')}\r\n\r\n${text}`
}
