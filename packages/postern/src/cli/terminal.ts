/**
 * What the program's own streams can show, and the line of news that goes to stderr.
 */

import { escapeText } from '../core/escape.ts'

/** Whether text for this stream may be coloured: a terminal, and `NO_COLOR` (no-color.org) not set. */
export function showsColour(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR, TERM } = process.env
  return stream.isTTY === true && (NO_COLOR === undefined || NO_COLOR === '') && TERM !== 'dumb'
}

/** Whether this stream is a terminal that can take a line back. */
export function movesCursor(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && process.env['TERM'] !== 'dumb'
}

/** Tells the user something, as one line on stderr. */
export function say(text: string): void {
  process.stderr.write(`postern: ${escapeText(text)}\n`)
}
