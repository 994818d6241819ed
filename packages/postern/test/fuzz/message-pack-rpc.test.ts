/** Damaged input against MessagePack-RPC, and against what tells the conversations apart. */

import { expect } from 'vitest'
import { recognise } from '../../src/app/first-bytes.ts'
import { loadBinaryCodec } from '../../src/codecs/load-codec.ts'
import { Frame } from '../../src/core/frame.ts'
import { resolveLimits } from '../../src/core/limits.ts'
import { messagePackRpc } from '../../src/protocols/message-pack-rpc.ts'
import { fuzz, outcome } from './fuzz.ts'

const options = { limits: resolveLimits({ maxMethodBytes: 20 }), integers: 'bigint' } as const

const messages: readonly unknown[] = [
  [0, 1, 'node.info', []],
  [0, 2 ** 32 - 1, 'node.transfer', [{ to: 'alice', amount: 5n ** 25n, bytes: new Uint8Array([1, 2, 3]) }]],
  [1, 7, null, { list: [1, -1.5, true, null, 'é'], nested: { a: { b: [] } } }],
  [1, 7, [-32601, 'no such method', { name: 'x' }], null],
  [1, 7, [{ toString: 1, valueOf: 1 }, [], new Uint8Array(2), null, -1.5, true], null],
  [1, 7, { code: 'x', message: { toString: null } }, null],
  [2, 'node.subscription', [{ subscription: '0x1', result: [1, 2, 3] }]],
  [2, 'rpc.cancel', [{ id: 3 }]],
]

for (const name of ['msgpack', 'cbor'] as const) {
  const codec = await loadBinaryCodec(name)
  const protocol = messagePackRpc(codec, { maxDepth: 10, maxContainers: 100 })
  const corpus = messages.map((message) => Buffer.from(codec.encode(message)))
  fuzz(`${name}-rpc`, corpus, (bytes, random) => {
    const raw = random.below(2) === 0
    const result = outcome(
      () => protocol.read(new Frame(bytes), { ...options, raw }),
      ['bad_frame', 'bad_message', 'limit_exceeded'],
    )
    const peeked = protocol.peek(bytes)
    if ('code' in result) return peeked !== undefined
    const message = result.value
    if (message.kind === 'batch') expect.unreachable('MessagePack-RPC has no batches')
    if (message.kind === 'invalid') return true
    if (message.kind === 'call') expect(peeked).toEqual({ kind: 'call', id: message.id })
    if (raw) return true
    const again = protocol.read(new Frame(Buffer.from(protocol.write(message) as Uint8Array)), options)
    expect(again.kind).toBe(message.kind)
    return true
  })
}

const beginnings = [
  ...['{"jsonrpc":"2.0"}', 'Content-Length: 2\r\n\r\n{}', 'POST / HTTP/1.1\r\n\r\n', 'PRI * HTTP/2.0\r\n'],
  ...['\0\0\0\x02{}', '\0\0\0\0\x01', '\x94\0\x01\xa1a\x90', '\x16\x03\x01', '#CHALLENGE#'],
].map((text) => Buffer.from(text, 'latin1'))

fuzz('first bytes', beginnings, (bytes) => {
  const whole = recognise(bytes)
  if (bytes.length >= 12) expect(whole).toBeDefined()
  // What has been decided stays, whatever follows.
  for (let length = 0; length < Math.min(bytes.length, 16); length++) {
    const early = recognise(bytes.subarray(0, length))
    if (early !== undefined) expect(early).toEqual(whole)
  }
  return whole !== undefined && whole.name !== 'unknown'
})
