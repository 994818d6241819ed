import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { FakeStream } from '../../test/fake-stream.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import type { Channel } from '../core/channel.ts'
import { isPosternError, PosternError } from '../core/errors.ts'
import { resolveLimits } from '../core/limits.ts'
import { until } from '../testing/until.ts'
import { connect } from './connect.ts'
import type { ConversationName } from './first-bytes.ts'
import { serve } from './serve.ts'
import { sniff } from './sniff.ts'

const limits = resolveLimits()

interface Sniffed {
  readonly stream: FakeStream
  readonly channels: { readonly channel: Channel; readonly protocol: string; readonly framing: string }[]
  readonly refusals: PosternError[]
  readonly gone: () => number
}

function sniffed(accepts?: readonly ConversationName[]): Sniffed {
  const stream = new FakeStream()
  const channels: Sniffed['channels'] = []
  const refusals: PosternError[] = []
  let gone = 0
  sniff(
    stream,
    { side: 'server', limits, accepts },
    {
      onChannel: (channel, { protocol, framing }) =>
        channels.push({ channel, protocol: protocol.name, framing: framing.name }),
      onRefused: (error) => refusals.push(error),
      onGone: () => gone++,
    },
  )
  return { stream, channels, refusals, gone: () => gone }
}

/** The frames of a channel, as text. */
function framesOf(channel: Channel): string[] {
  const frames: string[] = []
  channel.start({
    frame: (frame) => frames.push(frame.bytes.toString('latin1')),
    fault: (error) => frames.push(error.message),
    drain: () => undefined,
    end: () => frames.push('end'),
    close: () => frames.push('close'),
  })
  return frames
}

const conversations: readonly (readonly [what: string, wire: Buffer, framing: string, protocol: string])[] = [
  ['JSON', Buffer.from('{"a":1}'), 'json-stream', 'json-rpc'],
  ['the headers of LSP', Buffer.from('Content-Length: 7\r\n\r\n{"a":1}'), 'content-length', 'json-rpc'],
  ['MessagePack', Buffer.from([0x93, 2, 0xa1, 0x61, 0x90]), 'msgpack-stream', 'msgpack-rpc'],
  ['length-prefixed JSON', Buffer.from('\0\0\0\x07{"a":1}'), 'length-prefix', 'json-rpc'],
  ['length-prefixed MessagePack', Buffer.from([0, 0, 0, 5, 0x93, 2, 0xa1, 0x61, 0x90]), 'length-prefix', 'msgpack-rpc'],
  ['length-prefixed CBOR', Buffer.from([0, 0, 0, 5, 0x83, 2, 0x61, 0x61, 0x80]), 'length-prefix', 'cbor-rpc'],
]

describe('what is spoken here', () => {
  test.each(conversations)('sniff makes a channel of %s, however it is cut', async (_what, wire, framing, protocol) => {
    for (let cut = 1; cut <= wire.length; cut++) {
      const { stream, channels } = sniffed()
      stream.deliver(wire.subarray(0, cut))
      stream.deliver(wire.subarray(cut))
      await until(() => channels.length === 1)
      const [{ channel }] = channels as [Sniffed['channels'][0]]
      expect(channels).toEqual([{ channel, framing, protocol }])
      const frames = framesOf(channel)
      await until(() => frames.length === 1)
      expect(wire.toString('latin1').endsWith(frames[0] as string)).toBe(true)
    }
  })
})

const strangers: readonly (readonly [what: string, first: string, says: string])[] = [
  ['HTTP', 'POST / HTTP/1.1\r\n\r\n{"jsonrpc":"2.0","id":1,"method":"m"}', 'HTTP is not served here'],
  ['gRPC', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'gRPC is not served here'],
  ["Cap'n Proto", '\0\0\0\0\x09\0\0\0', "Cap'n Proto is not served here"],
  ['TLS', '\x16\x03\x01\x02\0\x01', 'TLS is not spoken here'],
  ["Python's challenge", '\0\0\0\x1f#CHALLENGE#', 'got "\\u0000\\u0000\\u0000\\u001f#CHALLENGE#"'],
  ['a greeting', 'HELO there\n', 'got "HELO there\\u000a"'],
]

describe('what is not', () => {
  test.each(strangers)('sniff refuses %s in words, and ends', async (what, first, says) => {
    const { stream, channels, refusals } = sniffed()
    stream.deliver(Buffer.from(first, 'latin1'))
    const message = `[unsupported_protocol] this address takes json, content-length, msgpack, length-prefix: ${says}`
    expect(refusals.map((error) => error.message)).toEqual([message])
    expect(channels).toEqual([])
    expect(stream.calls).toContain('end')
    expect(stream.written.endsWith(`${message}\n`)).toBe(true)
    expect(stream.written.startsWith('HTTP/1.1 501 Not Implemented\r\n')).toBe(what === 'HTTP')
    stream.deliverClose()
  })

  test('sniff gives who was refused a second to read why', () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { stream } = sniffed()
    stream.deliver('HELO there\n')
    vi.advanceTimersByTime(999)
    expect(stream.calls).not.toContain('abort')
    vi.advanceTimersByTime(1)
    expect(isPosternError(stream.abortReason, 'unsupported_protocol')).toBe(true)
    stream.deliverClose()
  })

  test('sniff refuses what the address does not accept, and takes what it does', async () => {
    const pinned = sniffed(['msgpack', 'length-prefix'])
    pinned.stream.deliver('{"jsonrpc"')
    expect(pinned.refusals.map((error) => error.message)).toEqual([
      '[unsupported_protocol] this address takes msgpack, length-prefix: json is not among them',
    ])
    pinned.stream.deliverClose()
    const taken = sniffed(['json'])
    taken.stream.deliver('{"jsonrpc"')
    expect(taken.channels).toHaveLength(1)
  })
})

describe('a client of ours that is refused', () => {
  test.each<[query: string, spoken: ConversationName, taken: ConversationName]>([
    ['', 'json', 'msgpack'],
    ['?framing=content-length', 'content-length', 'json'],
    ['?framing=length-prefix', 'length-prefix', 'json'],
    ['?codec=msgpack', 'msgpack', 'json'],
    ['?codec=cbor', 'length-prefix', 'json'],
  ])('tells with %j what the server said', async (query, spoken, taken) => {
    const address = `unix:${await temporaryDirectory()}/s`
    const server = await serve({ a: () => 1 }, { at: { address, accepts: [taken] }, onError: () => undefined })
    onTestFinished(() => server.close())
    const connection = await connect(`${address}${query}`, { reconnect: false })
    const refusal = {
      code: 'unsupported_protocol',
      message: `[unsupported_protocol] this address takes ${taken}: ${spoken} is not among them`,
    }
    await expect(connection.call('a')).rejects.toMatchObject(refusal)
    expect(await connection.closed).toMatchObject(refusal)
  })
})

describe('what says too little', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('sniff waits for ever for a first byte, and limits.handshakeMs for those that decide', () => {
    const { stream, channels, refusals } = sniffed()
    vi.advanceTimersByTime(100 * limits.handshakeMs)
    stream.deliver('Con')
    vi.advanceTimersByTime(limits.handshakeMs - 1)
    stream.deliver('t')
    expect(refusals).toEqual([])
    vi.advanceTimersByTime(1)
    expect(refusals.map((error) => error.message)).toEqual([
      '[deadline_exceeded] after "Cont" nothing more came within limits.handshakeMs (5000 ms)',
    ])
    stream.deliver('ent-Length: 2\r\n\r\n{}')
    expect(channels).toEqual([])
    stream.deliverClose()
  })

  test('sniff ends with a stream that ends before it has said enough, and tells of it once', () => {
    for (const first of ['', 'Con']) {
      const { stream, channels, gone, refusals } = sniffed()
      if (first !== '') stream.deliver(first)
      stream.deliverEnd()
      expect(stream.calls).toContain('end')
      expect(gone()).toBe(0)
      stream.deliverClose()
      expect(gone()).toBe(1)
      vi.advanceTimersByTime(2 * limits.handshakeMs)
      expect([gone(), channels.length, refusals.length]).toEqual([1, 0, 0])
    }
  })
})

describe('what ends while its conversation is being loaded', () => {
  test('sniff makes no channel of a stream that has closed, and tells of it once', async () => {
    const { stream, channels, gone } = sniffed()
    stream.deliver('Content-')
    stream.deliverClose(new PosternError('closed', 'over'))
    await until(() => gone() === 1)
    expect(channels).toEqual([])
  })

  test('sniff hands on the end of a stream that asked and ended at once', async () => {
    const { stream, channels } = sniffed()
    stream.deliver('Content-Length: 2\r\n\r\n{}')
    stream.deliverEnd()
    await until(() => channels.length === 1)
    const frames = framesOf((channels as [Sniffed['channels'][0]])[0].channel)
    await until(() => frames.length === 2)
    expect(frames).toEqual(['{}', 'end'])
  })
})
