/**
 * Frames behind headers, as the base protocol of language servers has them.
 *
 * ```
 * Content-Length: 52\r\n
 * Content-Type: application/vscode-jsonrpc; charset=utf-8\r\n      may be left out
 * \r\n
 * {"jsonrpc":"2.0",...}                                            so many bytes
 * ```
 *
 * Source: Language Server Protocol 3.17, "Base Protocol". Other headers are passed over. Whatever two readers could
 * take in two ways is refused: a length given twice, signed, in other digits than decimal ones, or folded over lines.
 */

import type { OutgoingFrame } from '../core/channel.ts'
import { AnnouncedDecoder } from './announced-decoder.ts'
import { ContentLengthReader } from './content-length-reader.ts'
import type { Framing } from './framing.ts'

/** Headers with the length of the frame, a blank line, then the frame. */
export const contentLength: Framing = {
  name: 'content-length',
  decoder: (limits) => new AnnouncedDecoder(limits, new ContentLengthReader(limits)),
  encode: encodeHeaded,
}

/** Text longer than this is not joined with its header: that would copy it. */
const joinedTextLength = 64 * 1024

/** Each frame behind its header; the text of all small frames leaves as one piece. */
function encodeHeaded(frames: readonly OutgoingFrame[]): readonly OutgoingFrame[] {
  const pieces: OutgoingFrame[] = []
  let text = ''
  for (const frame of frames) {
    // A frame of no bytes is none.
    if (frame.length === 0) continue
    if (typeof frame === 'string' && frame.length <= joinedTextLength) {
      text += headerOf(Buffer.byteLength(frame)) + frame
      continue
    }
    // Large text is encoded here, since its length must be known first and the encoding tells it.
    const bytes = typeof frame === 'string' ? Buffer.from(frame) : frame
    pieces.push(text + headerOf(bytes.length), bytes)
    text = ''
  }
  if (text !== '') pieces.push(text)
  return pieces
}

function headerOf(bytes: number): string {
  return `Content-Length: ${bytes}\r\n\r\n`
}
