import { describe, expect, test } from 'vitest'
import { isPosternError } from '../core/errors.ts'
import type { Frame } from '../core/frame.ts'
import { awkwardFrames, jsonFrameOf } from '../../test/json-frames.ts'
import { framingContract } from '../testing/framing-contract.ts'
import { boundedJson } from './bounded-json.ts'
import { contentLength } from './content-length.ts'
import type { FrameLimits, Framing } from './framing.ts'
import { lengthPrefix } from './length-prefix.ts'
import { newline } from './newline.ts'

const framings = [lengthPrefix, contentLength]

describe.each(framings)('framing contract of $name', (framing) => {
  const bounded = boundedJson(framing)
  /** With nesting counted, which the suite leaves unbounded. */
  const atServer: Framing = {
    ...bounded,
    decoder: (given) => bounded.decoder({ ...given, maxDepth: Math.min(given.maxDepth, 1_000_000) }),
  }
  const harness = { name: `bounded ${framing.name}`, framing: atServer, frames: awkwardFrames, frameOf: jsonFrameOf }
  for (const { title, run } of framingContract(harness)) test(title, run)
})

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

/** The frames that come out for these texts, each in a frame. */
function read(framing: Framing, texts: readonly string[], given: Partial<FrameLimits> = {}): string[] {
  const frames: string[] = []
  const decoder = boundedJson(framing).decoder({ ...limits, ...given })
  const sink = (frame: Frame): void => void frames.push(frame.text() ?? expect.unreachable())
  for (const piece of boundedJson(framing).encode(texts)) decoder.push(Buffer.from(piece as string), sink)
  decoder.end(sink)
  return frames
}

function refusal(
  framing: Framing,
  text: string,
  given: Partial<FrameLimits> = {},
): { message: string; details?: unknown } {
  try {
    read(framing, ['{}', text], given)
  } catch (error) {
    if (isPosternError(error)) return error
    throw error
  }
  return expect.unreachable(`${text} was not refused`)
}

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

describe.each(framings)('over $name', (framing) => {
  test('boundedJson takes a value in each frame, with white space around it', () => {
    const texts = ['{"a":1}', ' [2]', '{"b":"}{"}\n', '\r\n\t {}\t \r\n', '[\n]']
    expect(read(framing, texts)).toEqual(texts)
  })

  test('boundedJson leaves grammar to the codec', () => {
    expect(read(framing, ['{]', '{"a" 1,,}'])).toEqual(['{]', '{"a" 1,,}'])
  })

  test.each([
    ['two values', '{"a":1}{"b":2}', 'expected one JSON value in a frame, got behind it "{"b":2}"'],
    ['text behind the value', '[1] bye', 'expected one JSON value in a frame, got behind it "bye"'],
    ['a closing bracket behind the value', '[1]]', 'expected one JSON value in a frame, got behind it "]"'],
    ['NUL behind the value', '[1]\u0000', 'expected one JSON value in a frame, got behind it "\\u0000"'],
    ['half a value', '{"a":[1', 'expected a whole JSON value in a frame, got "{"a":[1"'],
    ['a value that ends inside a string', '{"a":"}', 'expected a whole JSON value in a frame, got "{"a":"}"'],
    ['a number', '1', 'expected a JSON object or array, got "1"'],
    ['text', ' hello', 'expected a JSON object or array, got "hello"'],
    ['white space alone', ' \n', 'expected a JSON object or array, got ""'],
    ['a byte order mark', '\ufeff{}', 'expected a JSON object or array, got "\\ufeff{}"'],
  ])('boundedJson refuses %s', (_, text, sentence) => {
    expect(refusal(framing, text).message).toBe(`[bad_frame] ${sentence}`)
    expect(refusal(framing, text, { maxDepth: unbounded }).message).toBe(`[bad_frame] ${sentence}`)
    expect(refusal(framing, text, { maxContainers: unbounded }).message).toBe(`[bad_frame] ${sentence}`)
  })

  test('boundedJson takes nesting, containers and names at their limits, frame by frame, and refuses more', () => {
    expect(read(framing, [nested(64), nested(64)])).toHaveLength(2)
    expect(refusal(framing, nested(65)).message).toBe(
      '[limit_exceeded] nesting deeper than 64 exceeds limits.maxDepth (64)',
    )
    expect(refusal(framing, nested(65)).details).toEqual({ limit: 'maxDepth', value: 64 })
    const many = (count: number): string =>
      `[${Array(count - 1)
        .fill('{}')
        .join(',')}]`
    expect(read(framing, [many(1_000), many(1_000)])).toHaveLength(2)
    expect(refusal(framing, many(1_001)).details).toEqual({ limit: 'maxContainers', value: 1_000 })
    const named = (count: number): string => {
      const names = Array.from({ length: count }, (_, index) => `"a${index}":0`)
      return `[${names.map((name, index) => (index % 10 === 0 ? `{${name}` : `${name}${index % 10 === 9 ? '}' : ''}`)).join(',')}]`
    }
    expect(read(framing, [named(1_000), named(1_000)])).toHaveLength(2)
    expect(refusal(framing, named(1_010)).details).toEqual({ limit: 'maxNames', value: 1_000 })
  })

  test('boundedJson looks at nothing where neither nesting nor containers nor names are limited', () => {
    const texts = [nested(10_000), '1', '{} {}']
    expect(read(framing, texts, { maxDepth: unbounded, maxContainers: unbounded, maxNames: unbounded })).toEqual(texts)
  })
})

test('boundedJson passes on what the framing knows of a stream that falls quiet', () => {
  const frames: string[] = []
  const sink = (frame: Frame): void => void frames.push(frame.bytes.toString())
  const decoder = boundedJson(newline).decoder(limits)
  decoder.push(Buffer.from('{"a":1}'), sink)
  expect(decoder.undecided).toBe(true)
  decoder.quiet(sink)
  expect(frames).toEqual(['{"a":1}'])
  expect(decoder.undecided).toBe(false)
  const ended = boundedJson(newline).decoder(limits)
  ended.push(Buffer.from('[1]'), sink)
  ended.end(sink)
  expect(frames).toEqual(['{"a":1}', '[1]'])
})
