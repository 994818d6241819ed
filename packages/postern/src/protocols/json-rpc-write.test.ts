import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Frame } from '../core/frame.ts'
import { resolveLimits } from '../core/limits.ts'
import { jsonRpc, writeJsonRpc } from './json-rpc.ts'
import { errorAnswer, type Incoming, type Message } from './message.ts'

function read(text: string): Incoming {
  return jsonRpc.read(new Frame(Buffer.from(text)), { limits: resolveLimits(), integers: 'error' })
}

describe('writing', () => {
  const written = (message: Message): unknown => JSON.parse(writeJsonRpc(message))

  test.each([
    ['nothing', undefined, undefined],
    ['an array', [1, 'two'], [1, 'two']],
    ['an empty array', [], []],
    ['an object', { a: 1 }, { a: 1 }],
    [
      'an instance',
      new (class {
        readonly a = 1
      })(),
      { a: 1 },
    ],
    ['null', null, [null]],
    ['a number', 5, [5]],
    ['a string', '{"not":"an object"}', ['{"not":"an object"}']],
    ['a boolean', false, [false]],
    ['a Date', new Date(0), ['1970-01-01T00:00:00.000Z']],
    ['a toJSON that gives a list', { toJSON: () => [1] }, [1]],
    ['a toJSON that gives null', { toJSON: () => null }, [null]],
  ])('json-rpc writes %s as params', (_, params, text) => {
    const expected = text === undefined ? {} : { params: text }
    expect(written({ kind: 'call', id: 1, method: 'm', params })).toEqual({
      jsonrpc: '2.0',
      id: 1,
      method: 'm',
      ...expected,
    })
    expect(written({ kind: 'note', method: 'm', params })).toEqual({ jsonrpc: '2.0', method: 'm', ...expected })
  })

  test.each([0, 1, -5, 9_007_199_254_740_991, '', 'a', '"quoted"\n', null])('json-rpc writes the id %j', (id) => {
    expect(written({ kind: 'call', id, method: 'm', params: undefined })).toMatchObject({ id })
    expect(written({ kind: 'result', id, value: 1 })).toMatchObject({ id })
    expect(written(errorAnswer(id, { code: 1, message: 'm' }))).toMatchObject({ id })
  })

  test('json-rpc writes results and errors', () => {
    expect(writeJsonRpc({ kind: 'result', id: 1, value: { a: 1 } })).toBe('{"jsonrpc":"2.0","id":1,"result":{"a":1}}')
    expect(writeJsonRpc({ kind: 'result', id: 1, value: undefined })).toBe('{"jsonrpc":"2.0","id":1,"result":null}')
    expect(writeJsonRpc(errorAnswer(1, { code: -1, message: 'm', data: [1] }))).toBe(
      '{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"m","data":[1]}}',
    )
  })

  test.each([
    { kind: 'call', id: 1, method: 'm', params: [1n] },
    { kind: 'note', method: 'm', params: { a: Number.NaN } },
    { kind: 'result', id: 1, value: new Map() },
    { kind: 'error', id: 1, error: { code: 1, message: 'm', data: new Uint8Array(1) } },
  ] as const)('json-rpc refuses to write what JSON cannot carry', (message) => {
    expect(() => writeJsonRpc(message)).toThrow(TypeError)
    expect(() => writeJsonRpc(message)).toThrow('JSON cannot carry')
  })

  test('json-rpc joins messages to a batch', () => {
    const texts = [1, 2].map((id) => jsonRpc.write({ kind: 'result', id, value: id }))
    expect(read(jsonRpc.writeBatch?.(texts) as string)).toMatchObject({
      kind: 'batch',
      messages: [{ id: 1 }, { id: 2 }],
    })
  })

  test('json-rpc reads every message that it writes (fast-check)', () => {
    const id = fc.oneof(fc.maxSafeInteger(), fc.string({ maxLength: 20 }), fc.constant(null))
    const value = fc.jsonValue()
    const params = fc.oneof(fc.constant(undefined), fc.array(value), fc.dictionary(fc.string(), value))
    const method = fc.string({ maxLength: 50 })
    const error = fc.record({ code: fc.maxSafeInteger(), message: fc.string(), data: value })
    const message: fc.Arbitrary<Message> = fc.oneof(
      fc.record({ kind: fc.constant('call'), id, method, params }),
      fc.record({ kind: fc.constant('note'), method, params }),
      fc.record({ kind: fc.constant('result'), id, value }),
      fc.record({ kind: fc.constant('error'), id, error }),
    )
    fc.assert(
      fc.property(message, (sent) => {
        expect(read(jsonRpc.write(sent) as string)).toEqual(zeroed(sent))
      }),
      { numRuns: 5_000 },
    )
  })
})

/** An id has no sign at zero. */
function zeroed(message: Message): Message {
  return 'id' in message && message.id === 0 ? { ...message, id: 0 } : message
}

describe('peek', () => {
  const peek = (text: string | Buffer): unknown => jsonRpc.peek(Buffer.from(text as string))

  test.each([
    ['{"jsonrpc":"2.0","id":7,"result":"0x', 7],
    ['{"id":7,"jsonrpc":"2.0","result":[', 7],
    ['{"id":"a","result":', 'a'],
    ['{"id":"","result":', ''],
    ['{"id":"é日本","result":', 'é日本'],
    ['  \n{ "jsonrpc" : "2.0" , "id" : 12 , "result" : ', 12],
    ['{"id":999999999999999,"error":', 999_999_999_999_999],
    [`{"id":"${'x'.repeat(256)}","result"`, 'x'.repeat(256)],
  ])('json-rpc sees the id of an answer in %.40s', (text, id) => {
    expect(peek(text)).toEqual({ kind: 'answer', id })
    expect(peek(Buffer.concat([Buffer.from(text), Buffer.alloc(100_000, 0xff)]))).toEqual({ kind: 'answer', id })
  })

  test.each(['{"jsonrpc":"2.0","id":7,"method":"m"', '{"id":7,"params":[', '{"id":7,"jsonrpc":"2.0","method":'])(
    'json-rpc sees the id of a call in %s',
    (text) => {
      expect(peek(text)).toEqual({ kind: 'call', id: 7 })
    },
  )

  test.each([
    '',
    '{',
    '{"jsonrpc":"2.0"',
    '{"jsonrpc":"2.0","id":7',
    '{"jsonrpc":"2.0","id":"a',
    '{"jsonrpc":"2.0","result":1,"id":7,',
    '[{"jsonrpc":"2.0","id":7,',
    '{"jsonrpc":"2.0","method":"eth_subscription","params":{"id":7,',
    '{"id":7,',
    '{"id":7,"id":8,"result":',
    '{"id":7,"more":1,"result":',
    '{"id":null,',
    '{"id":-7,',
    '{"id":1.5,',
    '{"id":1e3,',
    '{"id":1234567890123456,',
    '{"id":"a\\"b",',
    '{"id":"\\u0061",',
    '{"id":{"id":1},',
    '{"id":[1],',
    '"id":7,',
    `{${' '.repeat(400)}"id":7,`,
    `{"id":"${'x'.repeat(257)}",`,
  ])('json-rpc sees no id in %.50s', (text) => {
    expect(peek(text)).toBeUndefined()
  })

  test('json-rpc looks at a view where it lies', () => {
    const all = Buffer.from('{"id":1,{"id":2,"result"')
    expect(jsonRpc.peek(new Uint8Array(all.buffer, all.byteOffset + 8, 16))).toEqual({ kind: 'answer', id: 2 })
  })

  test('json-rpc sees the id of every whole number that it writes itself (fast-check)', () => {
    fc.assert(
      fc.property(fc.nat(), fc.jsonValue(), (id, value) => {
        expect(peek(writeJsonRpc({ kind: 'result', id, value }))).toEqual({ kind: 'answer', id })
      }),
    )
  })
})
