/**
 * Text from elsewhere, made safe for a terminal or a log line: control characters (C0, DEL, C1), line and paragraph
 * separators and bidirectional marks appear as `\u` escapes, so that one event stays one line and no terminal obeys it.
 */

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to be escaped
const unsafe = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

/** The text with every character that a terminal could obey written as an escape. */
export function escapeText(text: string): string {
  return text.replace(unsafe, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** How much of something unexpected an error message shows. */
const excerptLength = 60

/** The first bytes of something unexpected, as an escaped excerpt for an error message. */
export function excerpt(bytes: Uint8Array): string {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, excerptLength))
  return `"${escapeText(text)}"${bytes.length > excerptLength ? '…' : ''}`
}

/** The same of something that is text already. */
export function excerptOfText(text: string): string {
  return `"${escapeText(text.slice(0, excerptLength))}"${text.length > excerptLength ? '…' : ''}`
}
