import { describe, expect, test } from 'vitest'
import { isPosternError } from '../core/errors.ts'
import type { Frame } from '../core/frame.ts'
import { awkwardMsgpackFrames, fromHex, msgpackFrameOf } from '../../test/msgpack-frames.ts'
import { countedBuffer } from '../testing/counted-buffer.ts'
import { framingContract } from '../testing/framing-contract.ts'
import type { FrameLimits } from './framing.ts'
import { msgpackStream } from './msgpack-stream.ts'

const unbounded = Number.POSITIVE_INFINITY

const limits: FrameLimits = {
  limitName: 'maxCallBytes',
  maxFrameBytes: 1_000_000,
  maxDepth: 64,
  maxContainers: 1_000,
  maxNames: 1_000,
  maxHeaderBytes: 8_192,
  maxHeaders: 32,
}

describe('framing contract', () => {
  /** The same with nesting counted, which the suite leaves unbounded. */
  const bounded = {
    ...msgpackStream,
    decoder: (given: FrameLimits) => {
      const most = 100_000_000
      return msgpackStream.decoder({
        ...given,
        maxDepth: Math.min(given.maxDepth, most),
        maxContainers: Math.min(given.maxContainers, most),
      })
    },
  }
  for (const [name, framing] of [
    ['msgpack-stream at a client', msgpackStream],
    ['msgpack-stream at a server', bounded],
  ] as const) {
    const lacks = { 'encoding of text': 'MessagePack is never text' }
    const harness = { name, framing, frames: awkwardMsgpackFrames, frameOf: msgpackFrameOf, lacks }
    for (const { title, run } of framingContract(harness)) test(title, run)
  }
})

/** That many members of a map, in digits. */
function manyMembers(count: number): string {
  return Array.from({ length: count }, (_, index) => `a2${(index + 0x1000).toString(16)}07`).join('')
}

function reader(given: Partial<FrameLimits> = {}) {
  const decoder = msgpackStream.decoder({ ...limits, ...given })
  const frames: string[] = []
  const sink = (frame: Frame): void => void frames.push(frame.bytes.toString('hex'))
  return {
    decoder,
    frames,
    push: (...chunks: Buffer[]) => {
      for (const chunk of chunks) decoder.push(Buffer.from(chunk), sink)
    },
    end: () => decoder.end(sink),
  }
}

/** The error that a wire is refused with, which must be the same however it is cut. */
function refusal(wire: Buffer, given: Partial<FrameLimits> = {}): { message: string; details?: unknown } {
  const errorOf = (...chunks: Buffer[]) => {
    try {
      reader(given).push(...chunks)
    } catch (error) {
      if (isPosternError(error)) return error
      throw error
    }
    return expect.unreachable('was not refused')
  }
  const { code, message, details } = errorOf(wire)
  for (let cut = 0; cut <= wire.length; cut++) {
    expect(errorOf(wire.subarray(0, cut), wire.subarray(cut)).code).toBe(code)
  }
  expect(errorOf(...[...wire].map((byte) => Buffer.from([byte])))).toMatchObject({
    code,
    ...(details !== undefined && { details }),
  })
  return { message, details }
}

/** An answer whose result is the value, and another message behind it. */
const resultOf = (value: string): Buffer => fromHex(`94 01 08 c0 ${value} 93 02 a16e 90`)

describe('reading', () => {
  test('msgpack-stream gives out a value with its last byte, and is never undecided', () => {
    const { push, frames, decoder } = reader()
    push(fromHex('94 00 01 a161'))
    expect(frames).toEqual([])
    expect(decoder.undecided).toBe(false)
    push(fromHex('90'))
    expect(frames).toEqual(['940001a16190'])
    decoder.quiet(() => expect.unreachable())
    expect(decoder.pendingBytes).toBe(0)
  })

  test('msgpack-stream gives frames of one chunk as views of it, and writes them as they are', () => {
    const looks = { looked: 0, copied: 0 }
    let count = 0
    msgpackStream.decoder(limits).push(countedBuffer(Buffer.concat(awkwardMsgpackFrames), looks), () => count++)
    expect(count).toBe(awkwardMsgpackFrames.length)
    expect(looks.copied).toBe(0)
    expect(msgpackStream.encode(awkwardMsgpackFrames)).toBe(awkwardMsgpackFrames)
  })

  test('msgpack-stream looks at no byte of strings, bytes and numbers', () => {
    const looks = { looked: 0, copied: 0 }
    const wire = fromHex(
      `94 01 08 c0 94 c50400 ${'c1'.repeat(1_024)} da0400 ${'dd'.repeat(1_024)} cb${'c1'.repeat(8)} d8ff${'c1'.repeat(16)}`,
    )
    msgpackStream.decoder(limits).push(countedBuffer(wire, looks), () => undefined)
    // The first byte of the value is looked at twice, to see that it is an array.
    expect(looks).toEqual({ looked: 15, copied: 0 })
  })

  test('msgpack-stream says how much of a value had come when the stream ended', () => {
    const { push, end, frames } = reader()
    push(fromHex('93 02 a16e 90 94 00 01'))
    expect(end).toThrow('[closed] the other side ended inside a frame, after 3 bytes of it')
    expect(frames).toEqual(['9302a16e90'])
  })
})

describe('what is no message', () => {
  const such = ' instead of an array of 3 or 4 items, as MessagePack-RPC has them'
  test.each([
    ['nil', 'c0', `got "\ufffd"${such}`],
    ['a number', '00', `got "\\u0000"${such}`],
    ['a string', 'a161', `got "\ufffda"${such}`],
    ['a map', '83010203040506', such],
    ['0xc1', 'c1', such],
    ['an extension', 'd6ff00000001', such],
    ['a record definition', 'd472409361', such],
    ['JSON', '7b226964223a317d', `got "{"id":1}"${such}`],
    ['a length of 4 bytes', '00000006 940001a16190', such],
    ['an array of no items', '90', `got one of 0${such}`],
    ['an array of 2 items', '920102', `got one of 2${such}`],
    ['an array of 5 items', '950102030405', `got one of 5${such}`],
    ['a long array of 5 items', 'dc00050102030405', `got one of 5${such}`],
    ['a long array of 4 billion items', 'ddffffffff', `got one of 4294967295${such}`],
  ])('msgpack-stream refuses %s at the top, at the start and behind a message', (_, digits, sentence) => {
    expect(refusal(fromHex(digits)).message).toContain('[bad_frame] got ')
    expect(refusal(fromHex(digits)).message).toContain(sentence)
    const behind = reader()
    expect(() => behind.push(fromHex(`940001a16190${digits}`))).toThrow(sentence)
    expect(behind.frames).toEqual(['940001a16190'])
  })

  test.each([
    ['0xc1', 'c1', 'got the byte 0xc1, which MessagePack never uses'],
    ['0xc1 as a key', '81c101', 'got the byte 0xc1'],
    [
      'a record definition',
      'd472409361',
      'got an extension of type 114, of which only timestamps (-1) and names of blobs (80) are taken',
    ],
    ['an extension of type 0 without bytes', 'c70000', 'got an extension of type 0, of'],
    ['an extension of type -128', 'c70180aa', 'got an extension of type -128, of'],
    ['an extension with a length of 2 bytes', 'c8000101aa', 'got an extension of type 1, of'],
    ['an extension with a length of 4 bytes', 'c90000000101aa', 'got an extension of type 1, of'],
    ['an extension of 16 bytes', `d801${'aa'.repeat(16)}`, 'got an extension of type 1, of'],
  ])('msgpack-stream refuses %s', (_, digits, sentence) => {
    expect(refusal(resultOf(digits)).message).toContain(`[bad_frame] ${sentence}`)
    expect(refusal(resultOf(`9181a161${digits}`)).message).toContain(`[bad_frame] ${sentence}`)
  })
})

describe('sizes that cannot be', () => {
  test.each([
    ['bytes of 4 GiB', 'c6ffffffff'],
    ['a string of 4 GiB', 'dbffffffff'],
    ['a timestamp of 4 GiB', 'c9ffffffffff'],
    ['an array of 4 billion items', 'ddffffffff'],
    ['a map of 4 billion pairs', 'dfffffffff'],
    ['bytes one over the limit', 'c50060'],
    ['an array in an array that leaves too little room', 'dc0040 dc0040'],
    ['a map, each pair of which takes two bytes', 'de0030'],
    ['a string behind which items are owed', 'dc0040 d930'],
  ])('msgpack-stream refuses %s at its header', (_, digits) => {
    const given = { maxFrameBytes: 100 }
    const { message, details } = refusal(fromHex(`94 01 08 c0 ${digits}`), given)
    expect(message).toMatch(/^\[frame_too_large\] call of at least \d+ bytes exceeds limits\.maxCallBytes \(100\)$/)
    expect(details).toEqual({ limit: 'maxCallBytes', value: 100 })
    const { push, decoder } = reader(given)
    push(fromHex(`94 01 08 c0 ${digits}`).subarray(0, -1))
    expect(decoder.pendingBytes).toBeLessThan(12)
  })

  test('msgpack-stream counts what is announced beside what has come', () => {
    // 4 bytes before the array, 3 for its header, and 93 items: 100.
    for (const [items, fits] of [
      [92, true],
      [93, true],
      [94, false],
    ] as const) {
      const { push, frames } = reader({ maxFrameBytes: 100 })
      const wire = fromHex(`94 01 08 c0 dc00${items.toString(16)} ${'07'.repeat(items)}`)
      if (fits) push(wire)
      else expect(() => push(wire)).toThrow('[frame_too_large] call of at least 101 bytes')
      expect(frames).toHaveLength(fits ? 1 : 0)
    }
  })

  test('msgpack-stream allocates nothing on the word of a header', () => {
    const decoders = Array.from({ length: 100 }, () => msgpackStream.decoder({ ...limits, maxFrameBytes: 2 ** 24 }))
    const before = process.memoryUsage().arrayBuffers
    for (const decoder of decoders)
      decoder.push(fromHex('94 01 08 c0 c600f00000 00112233445566778899'), () => undefined)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(5_000_000)
  })
})

describe('limits on nesting', () => {
  const nested = (depth: number, open = '91', innermost = '90'): string => open.repeat(depth - 1) + innermost

  test.each([
    ['arrays', '91', '90'],
    ['long arrays', 'dc0001', 'dc0000'],
    ['maps', '8101', '80'],
    ['maps as keys', '81', '80'],
  ])('msgpack-stream takes %s 64 deep and refuses 65', (name, open, innermost) => {
    // A container that is a key owes its value, behind everything.
    const behind = (depth: number): string => (name === 'maps as keys' ? '00'.repeat(depth - 1) : '')
    const of = (depth: number): Buffer => resultOf(nested(depth, open, innermost) + behind(depth))
    for (const depth of [1, 62, 63]) {
      const { push, frames } = reader()
      push(of(depth), of(depth))
      expect(frames).toHaveLength(4)
    }
    expect(refusal(of(64)).message).toBe('[limit_exceeded] nesting deeper than 64 exceeds limits.maxDepth (64)')
    expect(refusal(of(64)).details).toEqual({ limit: 'maxDepth', value: 64 })
  })

  test('msgpack-stream counts depth anew behind what has closed', () => {
    const { push, frames } = reader({ maxDepth: 4 })
    // [1, 8, nil, [[[]], 5, [[]], {1: [], 2: []}, [[], 1, [], "a"]]]
    const wire = resultOf('95 9190 05 9190 82 0190 0290 94 90 01 90 a161')
    push(wire, wire)
    expect(frames).toHaveLength(4)
    expect(() => reader({ maxDepth: 3 }).push(wire)).toThrow('limits.maxDepth (3)')
    // An array that ends several others is behind none of them.
    const { push: pushMore, frames: more } = reader({ maxDepth: 5 })
    pushMore(resultOf('92 91 91 90 91 91 90'))
    expect(more).toHaveLength(2)
    expect(() => reader({ maxDepth: 5 }).push(resultOf('92 91 91 90 91 91 91 90'))).toThrow('limits.maxDepth (5)')
  })

  test.each([
    [2, '90'],
    [2, '80'],
    [5, '93 90 01 92 a161 80'],
    [4, '81 90 90'],
    [1_000, `dc03e6${'80'.repeat(998)}`],
    [4, '92 c400 c40161'],
    [2, 'c5000161'],
    [2, 'c600000000'],
    [4, '92 d6ff00000001 d7ff0000000000000001'],
    [2, 'c70cff000000000000000000000001'],
    [2, '95 a161 ca3fc00000 cfffffffffffffffff c0 c3'],
    [3, '82 a161 c400 a162 07'],
    [2, `de007f ${manyMembers(127)}`],
    [130, `de0080 ${manyMembers(128)}`],
    [260, `92 df00000080 ${manyMembers(128)} de0080 ${manyMembers(128)}`],
  ])('msgpack-stream counts %d against maxContainers', (count, digits) => {
    const wire = fromHex(`94 01 08 c0 ${digits}`)
    for (const maxContainers of [count, count + 1]) {
      const { push, frames } = reader({ maxContainers })
      push(wire, wire)
      expect(frames).toHaveLength(2)
    }
    const maxContainers = count - 1
    expect(refusal(wire, { maxContainers }).message).toBe(
      `[limit_exceeded] more than ${maxContainers} objects, arrays, byte strings and members of large objects exceeds limits.maxContainers (${maxContainers})`,
    )
    expect(refusal(wire, { maxContainers }).details).toEqual({ limit: 'maxContainers', value: maxContainers })
  })

  test('msgpack-stream takes any depth where it is unbounded, and keeps nothing for it', () => {
    const { push, frames } = reader({ maxDepth: unbounded, maxContainers: unbounded })
    push(resultOf(nested(300_000)))
    expect(frames).toHaveLength(2)
  })
})
