import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Frame } from '../core/frame.ts'
import { awkwardFrames, jsonFrameOf } from '../../test/json-frames.ts'
import { framesOf, framingContract } from '../testing/framing-contract.ts'
import type { FrameLimits } from './framing.ts'
import { jsonStream } from './json-stream.ts'

describe('framing contract', () => {
  const lacks = { 'refusal at the header': 'JSON says nothing about its length' }
  const harness = { name: 'json-stream', framing: jsonStream, frames: awkwardFrames, frameOf: jsonFrameOf, lacks }
  for (const { title, run } of framingContract(harness)) test(title, run)
})

const serverLimits: FrameLimits = {
  limitName: 'maxCallBytes',
  maxFrameBytes: 1_000_000,
  maxDepth: 64,
  maxContainers: 1_000,
  maxNames: 1_000,
  maxHeaderBytes: 8_192,
  maxHeaders: 32,
}

function reader(given: Partial<FrameLimits> = {}) {
  const decoder = jsonStream.decoder({ ...serverLimits, ...given })
  const frames: string[] = []
  const sink = (frame: Frame): void => void frames.push(frame.bytes.toString())
  return {
    decoder,
    frames,
    push: (...chunks: (string | Buffer)[]) => {
      for (const chunk of chunks) decoder.push(Buffer.from(chunk as string), sink)
    },
    end: () => decoder.end(sink),
  }
}

describe('values', () => {
  test.each([
    ['one behind the other', '{"a":1}{"b":2}[3][]{}', ['{"a":1}', '{"b":2}', '[3]', '[]', '{}']],
    ['with newlines', '{"a":1}\n{"b":2}\r\n', ['{"a":1}', '{"b":2}']],
    ['with white space of all kinds', ' \t\r\n{"a" : 1 }\n\n [ 2 ]\t', ['{"a" : 1 }', '[ 2 ]']],
    ['over several lines', '{\n  "a": [\n    1\n  ]\n}\n', ['{\n  "a": [\n    1\n  ]\n}']],
    ['with brackets in strings', '{"a":"}]{["}["]"]', ['{"a":"}]{["}', '["]"]']],
    ['with escaped quotes', '{"a":"\\"}"}{"b":"\\\\"}', ['{"a":"\\"}"}', '{"b":"\\\\"}']],
    ['with unicode escapes', '["\\u0022}"]["\\ud83d"]', ['["\\u0022}"]', '["\\ud83d"]']],
  ])('json-stream reads values %s, wherever they are cut', (_, wire, frames) => {
    for (let cut = 0; cut <= wire.length; cut++) {
      const got = framesOf(jsonStream, Buffer.from(wire), [cut], serverLimits)
      expect(got.map((frame) => Buffer.from(frame).toString())).toEqual(frames)
    }
    const { push, frames: dribbled } = reader()
    push(...wire)
    expect(dribbled).toEqual(frames)
  })

  test('json-stream keeps an escape that is cut behind its backslash', () => {
    const { push, frames } = reader()
    push('{"a":"\\', '"}', '","b":"\\\\', '"}', '{"c":"\\\\\\', '"', '"}')
    expect(frames).toEqual(['{"a":"\\"}","b":"\\\\"}', '{"c":"\\\\\\""}'])
  })

  test('json-stream gives out a value with its last byte, and is never undecided', () => {
    const { push, frames, decoder } = reader()
    push('{"a":1')
    expect(frames).toEqual([])
    expect(decoder.undecided).toBe(false)
    push('}')
    expect(frames).toEqual(['{"a":1}'])
    expect(decoder.undecided).toBe(false)
    decoder.quiet(() => expect.unreachable())
    expect(decoder.pendingBytes).toBe(0)
  })

  test('json-stream holds no white space between values', () => {
    const { push, decoder, frames } = reader({ maxFrameBytes: 50 })
    for (let n = 0; n < 100; n++) push(' '.repeat(5_000))
    expect(decoder.pendingBytes).toBe(0)
    push('{"a":1}', '\n'.repeat(5_000), '{"b":2}')
    expect(frames).toEqual(['{"a":1}', '{"b":2}'])
  })

  test('json-stream leaves grammar to the codec', () => {
    const { push, frames } = reader()
    push('{]', '[}', '{"a" 1,,}', '[nope "yes"]')
    expect(frames).toEqual(['{]', '[}', '{"a" 1,,}', '[nope "yes"]'])
  })
})

describe('what is no value', () => {
  test.each(['}', ']', '"text"', '1', '-1', 'true', 'null', ',', ':', '\u0000', '\ufeff{}', 'GET / HTTP/1.1', '\\'])(
    'json-stream refuses %j at the top, at the start and behind a value',
    (text) => {
      expect(() => reader().push(text)).toThrow('[bad_frame] expected a JSON object or array, got "')
      expect(() => reader().push('  \n', text)).toThrow('[bad_frame]')
      const behind = reader()
      expect(() => behind.push(`{"a":1}${text}{"b":2}`)).toThrow('[bad_frame]')
      expect(behind.frames).toEqual(['{"a":1}'])
    },
  )

  test('json-stream quotes what it refuses, from where it stands', () => {
    expect(() => reader().push('{"a":1} oops\n')).toThrow('got "oops\\u000a"')
    expect(() => reader().push(Buffer.from([0x20, 0x16, 0x03, 0x01]))).toThrow('got "\\u0016\\u0003\\u0001"')
  })

  test('json-stream ended inside a value says how far it came', () => {
    const { push, end } = reader()
    push('{"a":1}', ' {"b')
    expect(end).toThrow('[closed] the other side ended inside a frame, after 3 bytes of it')
  })
})

describe('limits', () => {
  const nested = (depth: number, open = '[', close = ']') => open.repeat(depth) + close.repeat(depth)

  test('json-stream takes nesting of 64 and refuses 65, before the value is whole', () => {
    const { push, frames } = reader()
    push(nested(63), nested(64), nested(64, '{"a":', '}'))
    expect(frames).toHaveLength(3)
    expect(() => push('['.repeat(64))).not.toThrow()
    expect(() => push('[')).toThrow('[limit_exceeded] nesting deeper than 64 exceeds limits.maxDepth (64)')
    expect(() => reader().push('{"a":'.repeat(65))).toThrow('limits.maxDepth')
    expect(() => reader().push('['.repeat(1_000_000))).toThrow('limits.maxDepth')
  })

  test.each([
    [1, '[]'],
    [1, '{"a":1}'],
    [4, '[[],[],{}]'],
    [4, '{"a":{"b":[]},"c":{}}'],
    [1_000, `[${Array(999).fill('{}').join(',')}]`],
  ])('json-stream counts %d containers in %s', (count, text) => {
    for (const maxContainers of [count, count + 1]) {
      const { push, frames } = reader({ maxContainers })
      push(text, text)
      expect(frames).toEqual([text, text])
    }
    if (count === 1) return
    const { push } = reader({ maxContainers: count - 1 })
    expect(() => push(text)).toThrow(
      `[limit_exceeded] more than ${count - 1} objects, arrays and members of large objects exceeds limits.maxContainers (${count - 1})`,
    )
  })

  test('json-stream names the limit in the details of its errors', () => {
    const details = (given: Partial<FrameLimits>, text: string) => {
      try {
        reader(given).push(text)
      } catch (error) {
        return (error as { details: unknown }).details
      }
    }
    expect(details({ maxDepth: 2 }, nested(3))).toEqual({ limit: 'maxDepth', value: 2 })
    expect(details({ maxContainers: 2 }, nested(3))).toEqual({ limit: 'maxContainers', value: 2 })
    expect(details({ maxFrameBytes: 3 }, nested(3))).toEqual({ limit: 'maxCallBytes', value: 3 })
  })

  test('json-stream says of a client that its answer is too large', () => {
    const { push } = reader({ limitName: 'maxAnswerBytes', maxFrameBytes: 10 })
    expect(() => push('{"a":"', 'x'.repeat(10))).toThrow(
      '[frame_too_large] answer of at least 16 bytes exceeds limits.maxAnswerBytes (10)',
    )
    expect(() => reader({ maxFrameBytes: 10 }).push('{"a":"xxxxx"}')).toThrow(
      '[frame_too_large] call of at least 13 bytes',
    )
  })

  test('json-stream takes any depth and number where they are unbounded', () => {
    const { push, frames } = reader({ maxDepth: Number.POSITIVE_INFINITY, maxContainers: Number.POSITIVE_INFINITY })
    push(nested(100_000))
    expect(frames).toHaveLength(1)
  })
})

test('json-stream gives back any JSON under any cuts (fast-check)', () => {
  const value = fc.oneof(fc.object({ withNullPrototype: false, maxDepth: 4 }), fc.array(fc.jsonValue()))
  const values = fc.array(fc.tuple(value, fc.constantFrom('', '\n', ' ', '\r\n\t'), fc.constantFrom(0, 2)), {
    maxLength: 6,
  })
  fc.assert(
    fc.property(values, fc.array(fc.nat(600), { maxLength: 8 }), (items, cuts) => {
      const texts = items.map(([item, , indent]) => JSON.stringify(item, undefined, indent))
      const wire = Buffer.from(items.map(([, space], index) => `${texts[index]}${space}`).join(''))
      const within = cuts.map((cut) => Math.min(cut, wire.length)).sort((a, b) => a - b)
      const frames = framesOf(jsonStream, wire, within)
      expect(frames.map((frame) => Buffer.from(frame).toString())).toEqual(texts)
    }),
    { numRuns: 2_000 },
  )
})
