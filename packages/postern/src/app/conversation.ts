/**
 * Which framing, codec and protocol go together, and who chooses them: a client by its address, a server by what the
 * client says first. What is not used is not loaded.
 *
 * ```
 * name             codec      framing          protocol
 * json             json       one a line       JSON-RPC 2.0
 * content-length   json       headers of LSP   JSON-RPC 2.0
 * msgpack          msgpack    none is needed   MessagePack-RPC
 * length-prefix    json       4-byte length    JSON-RPC 2.0
 *                  msgpack    4-byte length    MessagePack-RPC
 *                  cbor       4-byte length    the arrays of MessagePack-RPC
 * ```
 */

import type { CodecName } from '../codecs/codec.ts'
import type { AddressParameters } from '../core/address.ts'
import type { OutgoingFrame } from '../core/channel.ts'
import { PosternError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'
import type { Framing } from '../framing/framing.ts'
import { jsonStream } from '../framing/json-stream.ts'
import { newline } from '../framing/newline.ts'
import { withRefusal } from '../framing/refusal.ts'
import { jsonRpc } from '../protocols/json-rpc.ts'
import type { NoteMessage } from '../protocols/message.ts'
import type { Protocol } from '../protocols/protocol.ts'
import type { CancelMethod } from '../rpc/session-options.ts'
import type { ConversationName } from './first-bytes.ts'

/** How a connection is spoken to. */
export interface Conversation {
  readonly framing: Framing
  readonly protocol: Protocol
  /** How a call is taken back, where this is part of the conversation. */
  readonly cancelMethod?: CancelMethod
  /** What the other side may be sent at any time, and passes over, where white space is not. */
  readonly probe?: OutgoingFrame
}

/** What a conversation is made of, by name. */
export interface ConversationChoice {
  readonly name: ConversationName
  readonly codec: Exclude<CodecName, 'structured'>
}

/** What a client reads and writes where its address says nothing. */
const defaultConversation: Conversation = { framing: withRefusal(newline), protocol: jsonRpc }

/** What a server reads from who begins with JSON. */
export const jsonConversation: Conversation = { framing: jsonStream, protocol: jsonRpc }

/** The parameters that a conversation with us is chosen by. */
export type ConversationParameters = Pick<AddressParameters, 'codec' | 'framing'>

/** What a client's address chooses. Throws `bad_address` where codec and framing do not go together; `text` is the address. */
export function chooseConversation(
  { codec = 'json', framing }: ConversationParameters,
  text: string,
): ConversationChoice {
  if (framing === 'length-prefix') return { name: framing, codec }
  switch (codec) {
    case 'json':
      return { name: framing === 'content-length' ? framing : 'json', codec }
    case 'msgpack':
      if (framing === undefined) return { name: 'msgpack', codec }
      break
    case 'cbor':
      if (framing === undefined) return { name: 'length-prefix', codec }
  }
  const instead = codec === 'cbor' ? 'framing=length-prefix, which is its default' : 'framing=length-prefix, or none'
  throw new PosternError('bad_address', `${text}: framing=${framing} is for text; with codec=${codec} use ${instead}`)
}

/** The conversation of a client. */
export async function clientConversation(choice: ConversationChoice): Promise<Conversation> {
  if (choice.name === 'json') return defaultConversation
  const conversation = await loadConversation(choice, {})
  return { ...conversation, framing: withRefusal(conversation.framing) }
}

/** The conversation of a server: what does not come as a stream of values is held to `limits` by its protocol. */
export async function serverConversation(choice: ConversationChoice, limits: Limits): Promise<Conversation> {
  const { maxDepth, maxContainers, maxNames } = limits
  if (choice.name === 'json') return jsonConversation
  // The stream of values counts nesting and containers on the way.
  return await loadConversation(
    choice,
    choice.name === 'msgpack' ? { maxNames } : { maxDepth, maxContainers, maxNames },
  )
}

/** A note that nobody has to know: LSP keeps names that begin so for them. */
const probeNote: NoteMessage = { kind: 'note', method: '$/alive', params: undefined }

type Bounds = Partial<Pick<Limits, 'maxDepth' | 'maxContainers' | 'maxNames'>>

/** Rejects with `missing_dependency` where a codec's package is not installed. */
async function loadConversation({ name, codec }: ConversationChoice, bounds: Bounds): Promise<Conversation> {
  if (name === 'content-length') {
    const [{ contentLength }, { boundedJson }] = await Promise.all([
      import('../framing/content-length.ts'),
      import('../framing/bounded-json.ts'),
    ])
    return { ...probed(boundedJson(contentLength), jsonRpc), cancelMethod: '$/cancelRequest' }
  }
  if (codec === 'json') {
    const [{ lengthPrefix }, { boundedJson }] = await Promise.all([
      import('../framing/length-prefix.ts'),
      import('../framing/bounded-json.ts'),
    ])
    return probed(boundedJson(lengthPrefix), jsonRpc)
  }
  const framing = await loadBinaryFraming(name)
  const [{ loadBinaryCodec }, { messagePackRpc }] = await Promise.all([
    import('../codecs/load-codec.ts'),
    import('../protocols/message-pack-rpc.ts'),
  ])
  return probed(framing, messagePackRpc(await loadBinaryCodec(codec), bounds))
}

function probed(framing: Framing, protocol: Protocol): Conversation {
  return { framing, protocol, probe: protocol.write(probeNote) }
}

async function loadBinaryFraming(name: ConversationName): Promise<Framing> {
  if (name === 'msgpack') return (await import('../framing/msgpack-stream.ts')).msgpackStream
  return (await import('../framing/length-prefix.ts')).lengthPrefix
}
