import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromHex } from '../../test/msgpack-frames.ts'
import { countedBuffer } from '../testing/counted-buffer.ts'
import { MsgpackScanner } from './msgpack-scanner.ts'

const limits = {
  limitName: 'maxAnswerBytes',
  maxFrameBytes: 1_000_000,
  maxDepth: 100,
  maxContainers: 100_000,
  maxNames: 1_000,
  maxHeaderBytes: 8_192,
  maxHeaders: 32,
} as const

/** A value in any of its forms, its bytes together with how deep it is and what it counts against maxContainers. */
interface Encoded {
  readonly bytes: Buffer
  readonly depth: number
  readonly containers: number
}

/** The forms of a size: in the format byte where it fits, or in so many bytes behind it. */
function sizeForms(
  size: number,
  formats: { fixed?: readonly [number, number]; wide: readonly (readonly [number, number])[] },
): Buffer[] {
  const forms = formats.wide
    .filter(([, width]) => size < 256 ** width)
    .map(([format, width]) => fromHex(format.toString(16) + size.toString(16).padStart(2 * width, '0')))
  const [base, most] = formats.fixed ?? [0, -1]
  return size <= most ? [Buffer.from([base + size]), ...forms] : forms
}

const wideOf = (first: number, widths: readonly number[]) =>
  widths.map((width, index) => [first + index, width] as const)
const binFormats = { wide: wideOf(0xc4, [1, 2, 4]) }
const stringFormats = { fixed: [0xa0, 31], wide: wideOf(0xd9, [1, 2, 4]) } as const
const arrayFormats = { fixed: [0x90, 15], wide: wideOf(0xdc, [2, 4]) } as const
const mapFormats = { fixed: [0x80, 15], wide: wideOf(0xde, [2, 4]) } as const

const scalar = fc
  .oneof(
    fc.constantFrom('00', '7f', 'e0', 'ff', 'c0', 'c2', 'c3'),
    fc.constantFrom(
      'cc c1',
      'cd c1c1',
      'ce c1c1c1c1',
      'cf c1c1c1c1c1c1c1c1',
      'd0 91',
      'd1 9191',
      'd2 dddddddd',
      'd3 dfdfdfdfdfdfdfdf',
    ),
    fc.constantFrom('ca c1c1c1c1', 'cb 9494949494949494'),
  )
  .map((digits): Encoded => ({ bytes: fromHex(digits), depth: 0, containers: 0 }))

const timestamp = fc
  .constantFrom('d6ff c1c1c1c1', 'd7ff c1c1c1c1c1c1c1c1', 'c70cff c1c1c1c1c1c1c1c1c1c1c1c1')
  .map((digits): Encoded => ({ bytes: fromHex(digits), depth: 0, containers: 1 }))

const payload = fc
  .tuple(fc.uint8Array({ maxLength: 260 }), fc.constantFrom(binFormats, stringFormats), fc.nat())
  .map(([bytes, formats, choice]): Encoded => {
    const forms = sizeForms(bytes.length, formats)
    const containers = formats === binFormats ? 1 : 0
    return { bytes: Buffer.concat([forms[choice % forms.length] as Buffer, bytes]), depth: 0, containers }
  })

function container(items: readonly Encoded[], header: Buffer): Encoded {
  return {
    bytes: Buffer.concat([header, ...items.map((each) => each.bytes)]),
    depth: 1 + Math.max(0, ...items.map((each) => each.depth)),
    containers: 1 + items.reduce((sum, each) => sum + each.containers, 0),
  }
}

const { value } = fc.letrec<{ value: Encoded; array: Encoded; map: Encoded }>((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, scalar, timestamp, payload, tie('array'), tie('map')),
  array: fc.tuple(fc.array(tie('value'), { maxLength: 17 }), fc.nat()).map(([items, choice]) => {
    const forms = sizeForms(items.length, arrayFormats)
    return container(items, forms[choice % forms.length] as Buffer)
  }),
  map: fc.tuple(fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 17 }), fc.nat()).map(([pairs, choice]) => {
    const forms = sizeForms(pairs.length, mapFormats)
    return container(pairs.flat(), forms[choice % forms.length] as Buffer)
  }),
}))

const message = fc.tuple(fc.array(value, { minLength: 3, maxLength: 4 }), fc.nat()).map(([items, choice]) => {
  const forms = sizeForms(items.length, arrayFormats)
  return container(items, forms[choice % forms.length] as Buffer)
})

/** The ends that a scanner finds in the wire, in pieces that end at the cuts. */
function endsOf(scanner: MsgpackScanner, wire: Buffer, cuts: readonly number[]): number[] {
  const ends: number[] = []
  let from = 0
  for (const cut of [...cuts, wire.length]) {
    const chunk = wire.subarray(from, cut)
    for (let index = 0; index < chunk.length; ) {
      const end = scanner.scan(chunk, index)
      if (end >= 0) ends.push(from + end)
      index = end < 0 ? chunk.length : end
    }
    from = cut
  }
  return ends
}

test('MsgpackScanner finds the end of each message, of any formats, under any cuts (fast-check)', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 4 }), fc.array(fc.nat(5_000), { maxLength: 8 }), (messages, cuts) => {
      const wire = Buffer.concat(messages.map((each) => each.bytes))
      const within = cuts.map((cut) => Math.min(cut, wire.length)).sort((a, b) => a - b)
      const ends: number[] = []
      for (const each of messages) ends.push((ends.at(-1) ?? 0) + each.bytes.length)
      expect(endsOf(new MsgpackScanner(limits), wire, within)).toEqual(ends)
      const everywhere = Array.from({ length: wire.length }, (_, index) => index)
      expect(endsOf(new MsgpackScanner(limits), wire, everywhere)).toEqual(ends)
    }),
    { numRuns: 500 },
  )
})

test('MsgpackScanner takes a message at each of its limits and refuses it one below (fast-check)', () => {
  fc.assert(
    fc.property(message, ({ bytes, depth, containers }) => {
      const exact = { maxFrameBytes: bytes.length, maxDepth: depth, maxContainers: containers }
      const scan = (given: object): number => new MsgpackScanner({ ...limits, ...exact, ...given }).scan(bytes, 0)
      expect(scan({})).toBe(bytes.length)
      expect(scan({ maxDepth: Number.POSITIVE_INFINITY })).toBe(bytes.length)
      expect(() => scan({ maxFrameBytes: bytes.length - 1 })).toThrow('[frame_too_large]')
      expect(() => scan({ maxDepth: depth - 1 })).toThrow('limits.maxDepth')
      expect(() => scan({ maxContainers: containers - 1 })).toThrow('limits.maxContainers')
    }),
    { numRuns: 2_000 },
  )
})

test.each([1, 10, 4_096])('MsgpackScanner looks at no byte twice, in pieces of %d bytes', (pieceBytes) => {
  const items = 50_000
  const wire = Buffer.concat([fromHex('94 01 08 c0 dd0000c350'), Buffer.alloc(items, 7)])
  const looks = { looked: 0, copied: 0 }
  const scanner = new MsgpackScanner(limits)
  let end = -1
  for (let at = 0; at < wire.length; at += pieceBytes) {
    end = scanner.scan(countedBuffer(wire.subarray(at, at + pieceBytes), looks), 0)
  }
  expect(end).toBeGreaterThan(0)
  // But for the first, of which it is seen beforehand that it begins an array.
  expect(looks).toEqual({ looked: wire.length + 1, copied: 0 })
})
