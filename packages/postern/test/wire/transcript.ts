import assert from 'node:assert/strict'
import type { RawPeer } from '../raw-peer.ts'

/**
 * Plays a wire transcript: `-->` is sent as it is with a newline, `==>` without one, `<--` must come back to the letter,
 * `<-x` means that the server ends the connection, `#` says why.
 */
export async function playTranscript(text: string, peer: RawPeer): Promise<number> {
  let exchanged = 0
  for (const [index, line] of text.split('\n').entries()) {
    const content = line.slice(4)
    if (line === '' || line.startsWith('#')) continue
    exchanged++
    if (line.startsWith('--> ')) peer.send(`${unescape(content)}\n`)
    else if (line.startsWith('==> ')) peer.send(unescape(content))
    else if (line.startsWith('<-- ')) assert.equal(await peer.line(), content, `line ${index + 1}`)
    else if (line.startsWith('<-x')) await peer.ended()
    else assert.fail(`line ${index + 1} is none of --> ==> <-- <-x #: ${line}`)
  }
  return exchanged
}

/** `\xff` stands for a byte, so that a transcript can hold what is not text. */
function unescape(text: string): Uint8Array {
  const parts = text.split(/\\x([0-9a-f]{2})/)
  return Buffer.concat(parts.map((part, index) => (index % 2 === 0 ? Buffer.from(part) : Buffer.from(part, 'hex'))))
}
