import { describe, expect, test } from 'vitest'
import { type BinaryCodec, type DecodeOptions, RawValue } from '../codecs/codec.ts'
import { json } from '../codecs/json.ts'
import { Frame } from '../core/frame.ts'
import { resolveLimits } from '../core/limits.ts'
import { type Incoming, type Message, namedParams } from './message.ts'
import { messagePackRpc } from './message-pack-rpc.ts'

/** Arrays as JSON text, so that a test can be read. */
const asked: DecodeOptions[] = []
const arrays: BinaryCodec = {
  name: 'msgpack',
  encode: (value) => Buffer.from(json.encode(value) as string),
  decode: (frame, options = {}) => {
    asked.push(options)
    const items = json.decode(frame) as unknown[]
    return options.rawItem === undefined
      ? items
      : items.map((item, place) => (place === options.rawItem ? new RawValue(Buffer.from('raw')) : item))
  },
  peekIntegers: (head) => {
    const [, digits = ''] = /^\[([\d,]+)/.exec(Buffer.from(head).toString()) ?? []
    return digits.split(',').slice(0, -1).map(Number)
  },
}
const protocol = messagePackRpc(arrays)
const options = { limits: resolveLimits({ maxMethodBytes: 5 }), integers: 'bigint' } as const

function read(value: unknown): Incoming {
  return protocol.read(new Frame(Buffer.from(JSON.stringify(value))), options)
}

function written(message: Message): unknown {
  return JSON.parse(Buffer.from(protocol.write(message) as Uint8Array).toString())
}

describe('writing', () => {
  test.each([
    ['nothing', undefined, []],
    ['an array', [1, 'two'], [1, 'two']],
    ['an empty array', [], []],
    ['an object', { a: 1 }, [{ a: 1 }]],
    ['null', null, [null]],
    ['a number', 5, [5]],
    ['a string', 'text', ['text']],
  ])('message-pack-rpc writes %s as params', (_what, params, array) => {
    expect(written({ kind: 'call', id: 7, method: 'm', params })).toEqual([0, 7, 'm', array])
    expect(written({ kind: 'note', method: 'm', params })).toEqual([2, 'm', array])
  })

  test('message-pack-rpc writes results and errors, with nil in the place of the other', () => {
    expect(written({ kind: 'result', id: 7, value: { a: 1 } })).toEqual([1, 7, null, { a: 1 }])
    expect(written({ kind: 'result', id: 7, value: undefined })).toEqual([1, 7, null, null])
    expect(written({ kind: 'error', id: 7, error: { code: -1, message: 'why' } })).toEqual([1, 7, [-1, 'why'], null])
    const error = { code: -1, message: 'why', data: { a: 1 } }
    expect(written({ kind: 'error', id: null, error })).toEqual([1, null, [-1, 'why', { a: 1 }], null])
  })
})

describe('reading', () => {
  test('message-pack-rpc gives back every message that it writes', () => {
    const messages: Message[] = [
      { kind: 'call', id: 0, method: 'm', params: [1, 'two'] },
      { kind: 'call', id: 2 ** 32 - 1, method: 'm', params: [{ a: 1 }] },
      { kind: 'note', method: 'm', params: [] },
      { kind: 'result', id: 1, value: [1] },
      { kind: 'error', id: 1, error: { code: 3, message: 'why', data: [1] } },
      { kind: 'error', id: null, error: { code: 3, message: 'why' } },
    ]
    for (const message of messages)
      expect(protocol.read(new Frame(Buffer.from(protocol.write(message) as Uint8Array)), options)).toEqual(message)
  })

  test.each([
    ['no array', { a: 1 }, null],
    ['an empty array', [], null],
    ['another type', [3, 1, 'm', []], null],
    ['a type that is no number', ['0', 1, 'm', []], null],
    ['a call of three', [0, 1, 'm'], 1],
    ['a call of five', [0, 1, 'm', [], 1], 1],
    ['a call whose params are no array', [0, 1, 'm', { a: 1 }], 1],
    ['a call whose method is no string', [0, 1, 5, []], 1],
    ['a call whose method is over the limit', [0, 1, 'method', []], 1],
    ['a negative id', [0, -1, 'm', []], null],
    ['an id of 33 bits', [0, 2 ** 32, 'm', []], null],
    ['a fraction for an id', [0, 1.5, 'm', []], null],
    ['nil for an id', [0, null, 'm', []], null],
    ['a note of four', [2, 'm', [], 1], null],
    ['a note whose method is no string', [2, null, []], null],
    ['an answer of three', [1, 1, null], null],
    ['an answer whose id is no number', [1, 'a', null, 1], null],
  ])('message-pack-rpc reads %s as invalid', (_what, value, id) => {
    expect(read(value)).toMatchObject({ kind: 'invalid', answer: { kind: 'error', id, error: { code: -32600 } } })
  })

  test.each([
    ['a text', 'why', { code: 0, message: 'why' }],
    ['a number', 5, { code: 0, message: '5' }],
    ['a map', { code: 5, message: 'why' }, { code: 5, message: 'why' }],
    ['a number and a text, as Neovim has it', [1, 'why'], { code: 1, message: 'why' }],
    [
      'a list of texts, as others have it',
      ['TypeError', 'why'],
      { code: 0, message: 'TypeError why', data: ['TypeError', 'why'] },
    ],
    [
      'a list of what is no text',
      [{ toString: 1 }, null, 'why'],
      { code: 0, message: '… … why', data: [{ toString: 1 }, null, 'why'] },
    ],
  ])('message-pack-rpc takes %s for an error', (_what, error, wire) => {
    expect(read([1, 1, error, null])).toEqual({ kind: 'error', id: 1, error: wire })
  })

  test('message-pack-rpc hands bounds and the wish for raw bytes to the codec', () => {
    const bounded = messagePackRpc(arrays, { maxDepth: 3, maxContainers: 9 })
    const answer = new Frame(Buffer.from('[1,1,null,[2]]'))
    asked.length = 0
    expect(bounded.read(answer, { ...options, raw: true })).toEqual({
      kind: 'result',
      id: 1,
      value: new RawValue(Buffer.from('raw')),
    })
    bounded.read(new Frame(Buffer.from('[0,1,"m",[2]]')), { ...options, raw: true })
    bounded.read(answer, { ...options, integers: 'error' })
    bounded.readValue(Buffer.from('[2]'), 'number')
    expect(asked).toEqual([
      { maxDepth: 3, maxContainers: 9, integers: 'bigint', rawItem: 3 },
      { maxDepth: 3, maxContainers: 9, integers: 'bigint' },
      { maxDepth: 3, maxContainers: 9, integers: 'error' },
      { maxDepth: 3, maxContainers: 9, integers: 'number' },
    ])
  })

  test('message-pack-rpc sees the id of a call or an answer in its first bytes, and none in a note', () => {
    const peek = (text: string): unknown => protocol.peek(Buffer.from(text))
    expect(peek('[1,77,null,"')).toEqual({ kind: 'answer', id: 77 })
    expect(peek('[0,78,"m",[')).toEqual({ kind: 'call', id: 78 })
    expect(peek('[2,"m",[')).toBeUndefined()
    expect(peek('[1,')).toBeUndefined()
    expect(peek('')).toBeUndefined()
  })
})

test('namedParams gives the members of an object, also where it is the only element', () => {
  expect(namedParams({ id: 1 })).toEqual({ id: 1 })
  expect(namedParams([{ id: 1 }])).toEqual({ id: 1 })
  for (const none of [undefined, null, 5, 'text', [], [1], [{ id: 1 }, 2]])
    expect(namedParams(none)['id']).toBeUndefined()
})
