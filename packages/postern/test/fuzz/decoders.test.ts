/**
 * Damaged input against the decoders of JSON: nothing may be thrown but the errors that each promises, and nothing may be
 * held beyond the limits.
 */

import { expect } from 'vitest'
import { json } from '../../src/codecs/json.ts'
import { parseAddress, schemeNames } from '../../src/core/address.ts'
import type { ErrorCode } from '../../src/core/errors.ts'
import { Frame } from '../../src/core/frame.ts'
import { resolveLimits } from '../../src/core/limits.ts'
import type { Framing } from '../../src/framing/framing.ts'
import { jsonStream } from '../../src/framing/json-stream.ts'
import { newline } from '../../src/framing/newline.ts'
import { jsonRpc } from '../../src/protocols/json-rpc.ts'
import type { SeededRandom } from '../../src/testing/seeded-random.ts'
import { awkwardFrames } from '../json-frames.ts'
import { fuzz, outcome } from './fuzz.ts'

const messages = [
  ...awkwardFrames,
  ...[
    '{"jsonrpc":"2.0","id":"a","method":"node.info","params":{"a":[1,{"b":null}]}}',
    '{"jsonrpc":"2.0","id":1,"result":{"structLogs":[{"pc":0,"op":"PUSH1","stack":["0x1"]}]}}',
    '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse error","data":[true]}}',
    '{"result":"0x0","error":null,"id":12}',
    '[{"jsonrpc":"2.0","method":"a"},{"jsonrpc":"2.0","id":2,"method":"b","params":[]},1]',
    '{"id":1,"result":9007199254740993,"huge":123456789012345678901234567890}',
    '{"result":{"}":"]","\\"":["{"]},"r\\u0065sult":[1,2],"id":7}',
    '{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0x1","result":{}}}',
    '{"a":"\\ud83d\\udd11\\u0000\\n","b":-1.5e-10,"c":[[[[[]]]]]}',
  ].map((text) => Buffer.from(text)),
]

const streams = [
  ...messages,
  Buffer.concat(messages.slice(0, 3).flatMap((message) => [message, Buffer.from('\n')])),
  Buffer.concat(messages.slice(10, 12)),
  Buffer.from('{"a":1}\r\n\n \t{"b":2}{"c":3}\n[4][5]\n'),
]

const addresses = schemeNames.flatMap((scheme) => [
  Buffer.from(`${scheme}:/run/node.sock?codec=json&framing=newline&spinUs=5`),
  Buffer.from(`${scheme}://127.0.0.1:8545/path`),
  Buffer.from(`${scheme}:name`),
])

const frameLimits = {
  limitName: 'maxCallBytes',
  maxFrameBytes: 200,
  maxDepth: 8,
  maxContainers: 30,
  maxNames: 9,
  maxHeaderBytes: 60,
  maxHeaders: 4,
} as const
const framingCodes: readonly ErrorCode[] = ['bad_frame', 'frame_too_large', 'limit_exceeded', 'closed']

/** The frames that come out when the bytes are cut at random, and whether the stream was refused. */
function readStream(framing: Framing, bytes: Buffer, { random, quiet }: { random?: SeededRandom; quiet: boolean }) {
  const decoder = framing.decoder(frameLimits)
  const frames: string[] = []
  const sink = (frame: Frame): void => void frames.push(frame.bytes.toString('latin1'))
  const result = outcome(() => {
    for (let at = 0, next = 0; at < bytes.length; at = next) {
      next = random === undefined ? bytes.length : at + 1 + random.below(30)
      decoder.push(Buffer.from(bytes.subarray(at, next)), sink)
      expect(decoder.pendingBytes).toBeLessThanOrEqual(frameLimits.maxFrameBytes)
      expect(decoder.head().length).toBeGreaterThanOrEqual(Math.min(decoder.pendingBytes, 128))
      if (quiet) decoder.quiet(sink)
    }
    decoder.end(sink)
  }, framingCodes)
  for (const frame of frames) if (!/^[[{]/.test(frame) || frame.length > 200) expect.unreachable(frame)
  return { frames, refused: 'code' in result, open: decoder.pendingBytes > 0 }
}

for (const framing of [newline, jsonStream]) {
  fuzz(framing.name, streams, (bytes, random) => {
    const whole = readStream(framing, bytes, { quiet: false })
    expect(readStream(framing, bytes, { random, quiet: false })).toMatchObject({
      frames: whole.frames,
      refused: whole.refused,
    })
    readStream(framing, bytes, { random, quiet: true })
    return whole.frames.length > 0 || whole.open
  })
}

/** Whether the bytes begin an object or an array, and then something that may stand in it. */
function opensJson(bytes: Buffer): boolean {
  return /^\s*(?:\{\s*["}]|\[\s*["{[\]\d-])/.test(bytes.toString('latin1'))
}

/** What `JSON.parse` makes of bytes that are UTF-8 to the letter. */
function parsed(bytes: Buffer): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)) as unknown }
  } catch {
    return undefined
  }
}

fuzz('json', messages, (bytes) => {
  const reference = parsed(bytes)
  for (const integers of ['bigint', 'number', 'error'] as const) {
    const result = outcome(() => json.decode(bytes, { integers }), ['bad_frame', 'bad_message'])
    expect('code' in result && result.code === 'bad_frame').toBe(reference === undefined)
    if (!('value' in result) || integers === 'bigint') continue
    expect(result).toStrictEqual(reference)
    expect(json.decode(Buffer.from(json.encode(result.value) as string), { integers })).toStrictEqual(result.value)
  }
  const raw = outcome(() => json.decode(bytes, { rawMember: 'result' }), ['bad_frame', 'bad_message'])
  if (reference === undefined || 'code' in raw) return opensJson(bytes)
  const keys = (value: unknown): string[] => Object.keys(Object(value) as object)
  expect(keys(raw.value)).toEqual(keys(reference.value))
  return true
})

fuzz('json-rpc', messages, (bytes, random) => {
  const options = {
    limits: resolveLimits({ maxMethodBytes: 20, maxIdBytes: 10, maxBatchCalls: 3 }),
    raw: random.below(2) === 0,
  }
  for (const integers of ['bigint', 'error'] as const) {
    const read = (frame: Buffer) => jsonRpc.read(new Frame(frame), { ...options, integers })
    const result = outcome(() => read(bytes), ['bad_frame', 'bad_message'])
    jsonRpc.peek(bytes)
    if ('code' in result || result.value.kind === 'batch' || options.raw || integers === 'bigint') continue
    const message = result.value.kind === 'invalid' ? result.value.answer : result.value
    // A result that is missing is written as null; an id knows no -0.
    const written = jsonRpc.write(message.kind === 'result' ? { ...message, value: message.value ?? null } : message)
    expect(read(Buffer.from(written as string)).kind).toBe(message.kind)
  }
  return opensJson(bytes)
})

fuzz('addresses', addresses, (bytes) => {
  const text = bytes.toString()
  const result = outcome(() => parseAddress(text), ['bad_address'])
  if ('value' in result) expect(result.value.text).toBe(text)
  return text.includes(':')
})
