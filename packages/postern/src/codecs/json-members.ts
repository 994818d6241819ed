/**
 * Where a member's value stands in the bytes of a JSON object, found without building anything.
 */

/** From the first byte of the value to behind its last. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const colon = 0x3a

/** The last member of that name at the top of an object, as `JSON.parse` would take it; undefined when there is none. */
export function memberRange(bytes: Buffer, name: string): ByteRange | undefined {
  const key = Buffer.from(JSON.stringify(name))
  let found: ByteRange | undefined
  let depth = 0
  let keyStart = -1
  let valueStart = -1
  let matches = false
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] as number
    if (byte === quote) {
      const end = behindString(bytes, index)
      if (depth === 1 && valueStart < 0) {
        keyStart = index
        matches = bytes.subarray(keyStart, end).equals(key)
      }
      index = end - 1
    } else if (byte === 0x7b || byte === 0x5b) depth++
    else if (depth === 1 && byte === colon) valueStart = index + 1
    else if (byte === 0x7d || byte === 0x5d || (byte === comma && depth === 1)) {
      if (depth === 1) {
        if (matches && valueStart >= 0) found = trimmed(bytes, valueStart, index)
        matches = false
        valueStart = -1
      }
      if (byte !== comma) depth--
    }
  }
  return found
}

function behindString(bytes: Buffer, open: number): number {
  let close = bytes.indexOf(quote, open + 1)
  while (close >= 0) {
    let backslashes = 0
    while (bytes[close - 1 - backslashes] === backslash) backslashes++
    if (backslashes % 2 === 0) return close + 1
    close = bytes.indexOf(quote, close + 1)
  }
  return bytes.length
}

function trimmed(bytes: Buffer, start: number, end: number): ByteRange {
  let from = start
  let to = end
  while (from < to && (bytes[from] as number) <= 0x20) from++
  while (to > from && (bytes[to - 1] as number) <= 0x20) to--
  return { start: from, end: to }
}
