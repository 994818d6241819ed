/** MessagePack-RPC messages with every format there is, in odd but legal forms, with payloads that look like headers. */
export const awkwardMsgpackFrames: readonly Buffer[] = [
  // [0, 1, "a", []] and [2, "n", [1]], the second with needlessly long counts
  '94 00 01 a161 90',
  'dc0003 02 a16e dd00000001 01',
  // [1, 4294967295, nil, nil]
  'dd00000004 01 ceffffffff c0 c0',
  // whole numbers and floats of every width, true and false
  '94 01 07 c0 9e 00 7f ff e0 ccff cdffff ceffffffff cfffffffffffffffff d080 d18000 d280000000 d38000000000000000 ca3fc00000 cb3ff8000000000000',
  '93 02 a16e 92 c2 c3',
  // strings and bytes of every width, some empty, some like headers
  '94 01 08 c0 98 a0 a5ddffffffff d900 d903c1c1c1 da0002 9494 db00000001 c6 c400 c404ddffffff',
  '94 01 08 c0 92 c50003 c6ffff c600000002 dfff',
  // maps, also with containers for keys, also empty
  '94 01 08 c0 83 a161 80 90 de0001 c0 df00000000 81 c3 91 90 df00000000',
  // timestamps of every width, and one of a width that only the codec refuses
  '94 01 08 c0 94 d6ff00000001 d7ff0000000000000001 c70cff000000000000000000000001 c700ff',
  '94 01 08 c0 94 c80002ff0000 c900000001ff00 d4ff00 d5ff0000',
  `94 01 08 c0 91 d8ff${'00'.repeat(16)}`,
  // nesting, and an array that ends several others
  '94 01 08 91919190 9291 9190 9380 9190 81 c0 90',
  `94 01 08 c0 d9ff ${'94'.repeat(255)}`,
].map(fromHex)

/** The bytes that the digits spell; spaces are for the reader. */
export function fromHex(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(' ', ''), 'hex')
}

/** An answer of exactly this many bytes, 16 or more: bytes and many small maps where they fit. */
export function msgpackFrameOf(bytes: number): Buffer {
  const start = fromHex('94 01 05 c0')
  const room = bytes - start.length
  if (room < 64) return Buffer.concat([start, sized('d9', 1, room - 2), Buffer.alloc(room - 2, 'p')])
  const third = Math.floor(room / 3)
  const map = fromHex('82 a26964 cd0102 a16e 07')
  const maps = Math.floor((room - third - 15) / map.length)
  const pad = room - third - 15 - maps * map.length
  return Buffer.concat([
    ...[start, sized('dd', 4, maps + 2), sized('c6', 4, third), Buffer.alloc(third, 0xdd)],
    ...Array.from({ length: maps }, () => map),
    ...[sized('db', 4, pad), Buffer.alloc(pad, 'p')],
  ])
}

/** A format byte with its size, in so many bytes. */
function sized(format: string, width: number, size: number): Buffer {
  return fromHex(format + size.toString(16).padStart(2 * width, '0'))
}
