import type { OutgoingFrame } from '../core/channel.ts'
import { escapeText } from '../core/escape.ts'
import type { Tap } from '../core/tap.ts'

/** Longest part of a frame that is shown. */
const maxShownBytes = 1_000

/** Shows each frame as one line, escaped and shortened: `-->` goes to the other side, `<--` comes from it. */
export function frameLog(write: (line: string) => void): Tap {
  return {
    frame: (direction, frame) => write(`${direction === 'out' ? '-->' : '<--'} ${describeFrame(frame)}\n`),
    close: () => undefined,
  }
}

function describeFrame(frame: OutgoingFrame): string {
  const bytes = typeof frame === 'string' ? Buffer.byteLength(frame) : frame.byteLength
  if (bytes <= maxShownBytes) return escapeText(typeof frame === 'string' ? frame : decode(frame))
  const head = typeof frame === 'string' ? frame.slice(0, maxShownBytes) : decode(frame.subarray(0, maxShownBytes))
  return `${escapeText(head)}… (${bytes} bytes)`
}

/** A character that was cut at the end is left out. */
function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes, { stream: true })
}
