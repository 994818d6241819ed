/**
 * What the first bytes of a connection say that it speaks. Pure; looked at once, when a connection begins.
 *
 * ```
 * { [ white space                        JSON-RPC 2.0, as a stream of JSON values
 * Content-                               JSON-RPC 2.0 with the headers of LSP
 * 93 94                                  MessagePack-RPC
 * 4-byte length, then { [ white space    length-prefixed JSON-RPC 2.0
 * 4-byte length, then 93 94 / 83 84      length-prefixed MessagePack-RPC, or the same arrays in CBOR
 * 00 00 00 00                            Cap'n Proto: a length of 0 is no frame of ours
 * GET POST OPTIONS ...                   HTTP
 * PRI * HTTP/2                           gRPC
 * 16 03                                  TLS
 * ```
 *
 * White space wins over a length that begins with such a byte, which would be above 150 MB.
 */

import type { CodecName } from '../codecs/codec.ts'
import { isWhiteSpace, opensValue } from '../framing/json-stream.ts'

/** What an address can be spoken to in, by the framing; the names that `accepts` takes. */
export const conversationNames = ['json', 'content-length', 'msgpack', 'length-prefix'] as const

export type ConversationName = (typeof conversationNames)[number]

/** What a connection speaks. */
export type Spoken =
  | { readonly name: ConversationName; readonly codec: Exclude<CodecName, 'structured'> }
  | { readonly name: 'http' | 'grpc' | 'capnp' | 'tls' | 'unknown' }

const headings: readonly (readonly [text: string, spoken: Spoken])[] = [
  ['content-', { name: 'content-length', codec: 'json' }],
  ['pri * http/2', { name: 'grpc' }],
  ...['get ', 'post ', 'put ', 'head ', 'delete ', 'options ', 'patch ', 'connect ', 'trace '].map(
    (method): [string, Spoken] => [method, { name: 'http' }],
  ),
]

const prefixBytes = 4
const firstPrintable = 0x20

/** What these bytes begin, or undefined where more of them are needed: twelve always are enough. */
export function recognise(first: Uint8Array): Spoken | undefined {
  const [byte] = first
  if (byte === undefined) return undefined
  if (opensValue(byte) || isWhiteSpace(byte)) return { name: 'json', codec: 'json' }
  if (isMessagePackArray(byte)) return { name: 'msgpack', codec: 'msgpack' }
  return byte < firstPrintable ? recogniseLength(first) : recogniseText(first)
}

function recogniseLength(first: Uint8Array): Spoken | undefined {
  if (first[0] === 0x16 && first[1] === 0x03) return { name: 'tls' }
  if (first.length < prefixBytes) return undefined
  if (first.subarray(0, prefixBytes).every((byte) => byte === 0)) return { name: 'capnp' }
  const byte = first[prefixBytes]
  if (byte === undefined) return undefined
  if (opensValue(byte) || isWhiteSpace(byte)) return { name: 'length-prefix', codec: 'json' }
  if (isMessagePackArray(byte)) return { name: 'length-prefix', codec: 'msgpack' }
  if (byte === 0x83 || byte === 0x84) return { name: 'length-prefix', codec: 'cbor' }
  return { name: 'unknown' }
}

/** An array of three or four items: MessagePack-RPC knows no other. */
function isMessagePackArray(byte: number): boolean {
  return byte === 0x93 || byte === 0x94
}

function recogniseText(first: Uint8Array): Spoken | undefined {
  const text = Buffer.from(first.subarray(0, 12)).toString('latin1').toLowerCase()
  const whole = headings.find(([heading]) => text.startsWith(heading))
  if (whole !== undefined) return whole[1]
  return headings.some(([heading]) => heading.startsWith(text)) ? undefined : { name: 'unknown' }
}
