import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RawValue } from '../codecs/codec.ts'
import { isPosternError } from '../core/errors.ts'
import { Frame } from '../core/frame.ts'
import { resolveLimits } from '../core/limits.ts'
import { jsonRpc, readJsonRpc } from './json-rpc.ts'
import type { Incoming } from './message.ts'
import type { ReadOptions } from './protocol.ts'

const limits = resolveLimits()

function read(text: string | Buffer, options: Partial<ReadOptions> = {}): Incoming {
  return jsonRpc.read(new Frame(Buffer.from(text as string)), { limits, integers: 'error', ...options })
}

/** The answer that a message which is none deserves. */
function refusal(text: string, options?: Partial<ReadOptions>): unknown {
  const incoming = read(text, options)
  return incoming.kind === 'invalid' ? incoming.answer : incoming
}

function refused(id: unknown, why: string, code = -32600): unknown {
  return { kind: 'error', id, error: { code, message: expect.stringContaining(why) as unknown } }
}

const call = (members: string): string => `{"jsonrpc":"2.0",${members}}`

describe('calls and notes', () => {
  test.each([
    ['0', 0],
    ['1', 1],
    ['-7', -7],
    ['9007199254740991', 9_007_199_254_740_991],
    ['1.0', 1],
    ['1e3', 1_000],
    ['""', ''],
    ['"a"', 'a'],
    ['"9007199254740993"', '9007199254740993'],
    [`"${'x'.repeat(256)}"`, 'x'.repeat(256)],
    [`"${'é'.repeat(128)}"`, 'é'.repeat(128)],
    [`"${'日'.repeat(85)}"`, '日'.repeat(85)],
    ['"__proto__"', '__proto__'],
    ['null', null],
  ])('json-rpc takes the id %s', (text, id) => {
    expect(read(call(`"id":${text},"method":"m"`))).toEqual({ kind: 'call', id, method: 'm', params: undefined })
    expect(read(call(`"method":"m","id":${text}`))).toMatchObject({ kind: 'call', id })
  })

  test.each([
    '1.5',
    '1e400',
    '1e100',
    'true',
    'false',
    '{}',
    '[]',
    '[1]',
    '{"id":1}',
    `"${'x'.repeat(257)}"`,
    `"${'é'.repeat(129)}"`,
    `"${'日'.repeat(86)}"`,
    `"${'x'.repeat(1_000_000)}"`,
  ])('json-rpc refuses the id %.20s without echoing it', (text) => {
    if (text === '1e400') expect(() => read(call(`"id":${text},"method":"m"`))).toThrow('[bad_message]')
    else expect(refusal(call(`"id":${text},"method":"m"`))).toEqual(refused(null, 'an id must be a whole number'))
  })

  test('json-rpc refuses an unsafe whole number as id', () => {
    const text = call('"id":9007199254740993,"method":"m"')
    expect(() => read(text)).toThrow('[bad_message]')
    expect(refusal(text, { integers: 'bigint' })).toEqual(refused(null, 'an id must be a whole number'))
    expect(refusal(text, { integers: 'number' })).toEqual(refused(null, 'an id must be a whole number'))
  })

  test.each([
    ['m'],
    ['x'.repeat(256)],
    ['é'.repeat(128)],
    ['日'.repeat(85)],
    [''],
    ['constructor'],
    ['__proto__'],
    ['toString'],
    ['__defineGetter__'],
    ['then'],
    ['rpc.cancel'],
    ['a "quoted"\n\u0000 name'],
  ])('json-rpc takes the method %j for a name like any other', (method) => {
    const text = JSON.stringify({ jsonrpc: '2.0', id: 1, method })
    expect(read(text)).toEqual({ kind: 'call', id: 1, method, params: undefined })
  })

  test.each([`"${'x'.repeat(257)}"`, `"${'é'.repeat(129)}"`, `"${'日'.repeat(86)}"`])(
    'json-rpc refuses a method that is too long',
    (method) => {
      expect(refusal(call(`"id":1,"method":${method}`))).toEqual(refused(1, 'limits.maxMethodBytes (256)'))
    },
  )

  test.each(['1', 'null', 'true', '{}', '["m"]'])('json-rpc refuses the method %s', (method) => {
    expect(refusal(call(`"id":"x","method":${method}`))).toEqual(refused('x', 'the method must be a string'))
  })

  test.each([
    ['', undefined],
    [',"params":null', undefined],
    [',"params":[]', []],
    [',"params":{}', {}],
    [',"params":[1,"two",null]', [1, 'two', null]],
    [',"params":{"a":{"b":1}}', { a: { b: 1 } }],
  ])('json-rpc takes the params %s', (text, params) => {
    expect(read(call(`"id":1,"method":"m"${text}`))).toEqual({ kind: 'call', id: 1, method: 'm', params })
    expect(read(call(`"method":"m"${text}`))).toEqual({ kind: 'note', method: 'm', params })
  })

  test.each(['1', '0', '""', '"text"', 'true', 'false'])('json-rpc refuses the params %s', (params) => {
    expect(refusal(call(`"id":1,"method":"m","params":${params}`))).toEqual(
      refused(1, 'params must be an array or an object'),
    )
    expect(refusal(call(`"method":"m","params":${params}`))).toEqual(refused(null, 'params must be'))
  })

  test.each(['', '"jsonrpc":"1.0",', '"jsonrpc":2.0,', '"jsonrpc":2,', '"jsonrpc":null,', '"JSONRPC":"2.0",'])(
    'json-rpc refuses a call with the version %s, under its id',
    (version) => {
      expect(refusal(`{${version}"id":7,"method":"m"}`)).toEqual(refused(7, 'jsonrpc must be "2.0"'))
    },
  )

  test('json-rpc takes a call for a call though it has more members', () => {
    expect(read(call('"id":1,"method":"m","result":1,"error":{},"extra":true'))).toMatchObject({ kind: 'call' })
  })

  test('json-rpc pollutes no prototype with what it reads', () => {
    const message = read(
      call('"id":1,"method":"m","params":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'),
    )
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect(Object.keys((message as { params: object }).params)).toEqual(['__proto__', 'constructor'])
  })

  test('json-rpc is not misled by the members of a prototype', () => {
    const inherited = Object.create({ jsonrpc: '2.0', id: 1, result: 2 }) as object
    expect(readJsonRpc(inherited, limits)).toMatchObject({ kind: 'invalid' })
  })
})

describe('what is no message', () => {
  test.each(['1', '"text"', 'null', 'true', '[1]', '[null]', '[[]]'])('json-rpc refuses %s', (text) => {
    const incoming = read(text)
    const invalid = incoming.kind === 'batch' ? incoming.messages[0] : incoming
    expect(invalid).toEqual({ kind: 'invalid', answer: refused(null, 'not a JSON object') })
  })

  test.each(['{}', '{"id":1}', '{"jsonrpc":"2.0","id":1}', '{"jsonrpc":"2.0","params":[]}'])(
    'json-rpc refuses %s',
    (text) => {
      expect(refusal(text)).toEqual(refused(null, 'neither method nor result nor error'))
    },
  )

  test.each(['', '{', '{]', 'hello', '{"a":1}{"b":2}', '\ufeff{}', '["a\nb"]'])(
    'json-rpc throws bad_frame for %j',
    (text) => {
      expect(() => read(text)).toThrow('[bad_frame]')
    },
  )

  test('json-rpc throws bad_frame for invalid UTF-8', () => {
    expect(() => read(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]))).toThrow('[bad_frame] a frame is not valid UTF-8')
  })
})

describe('batches', () => {
  const one = call('"id":1,"method":"m"')
  const note = call('"method":"n"')

  test('json-rpc refuses an empty batch with a single error', () => {
    expect(refusal('[]')).toEqual(refused(null, 'an empty batch'))
  })

  test.each([1, 2, 999, 1_000])('json-rpc takes a batch of %d', (count) => {
    const batch = read(`[${Array(count).fill(one).join(',')}]`)
    expect(batch.kind === 'batch' && batch.messages.length).toBe(count)
  })

  test.each([1_001, 5_000])('json-rpc refuses a batch of %d, naming the limit', (count) => {
    expect(refusal(`[${Array(count).fill(one).join(',')}]`)).toEqual(
      refused(null, `a batch of ${count} exceeds limits.maxBatchCalls (1000)`, -32006),
    )
  })

  test('json-rpc takes a batch of notes', () => {
    expect(read(`[${note},${note}]`)).toEqual({
      kind: 'batch',
      messages: [
        { kind: 'note', method: 'n', params: undefined },
        { kind: 'note', method: 'n', params: undefined },
      ],
    })
  })

  test('json-rpc keeps good messages beside bad ones, in their order', () => {
    const batch = read(`[${one},1,${note},[${one}],{"id":2,"result":3},{},{"id":{},"method":"m"}]`)
    expect(batch).toMatchObject({
      kind: 'batch',
      messages: [
        { kind: 'call', id: 1 },
        { kind: 'invalid', answer: { id: null, error: { code: -32600 } } },
        { kind: 'note' },
        { kind: 'invalid', answer: { id: null, error: { code: -32600 } } },
        { kind: 'result', id: 2, value: 3 },
        { kind: 'invalid' },
        { kind: 'invalid' },
      ],
    })
  })
})

describe('answers', () => {
  test.each([
    ['{"jsonrpc":"2.0","id":1,"result":5}', { kind: 'result', id: 1, value: 5 }],
    ['{"id":1,"result":5}', { kind: 'result', id: 1, value: 5 }],
    ['{"jsonrpc":"1.0","id":"a","result":{"b":1}}', { kind: 'result', id: 'a', value: { b: 1 } }],
    ['{"jsonrpc":"2.0","id":1,"result":null}', { kind: 'result', id: 1, value: null }],
    ['{"result":{"a":1},"error":null,"id":1}', { kind: 'result', id: 1, value: { a: 1 } }],
    ['{"result":null,"error":null,"id":1}', { kind: 'result', id: 1, value: null }],
    ['{"error":null,"id":1}', { kind: 'result', id: 1, value: undefined }],
    ['{"result":5}', { kind: 'result', id: null, value: 5 }],
    ['{"id":null,"result":5}', { kind: 'result', id: null, value: 5 }],
    ['{"id":1.5,"result":5}', { kind: 'result', id: 1.5, value: 5 }],
  ])('json-rpc reads the result %s', (text, message) => {
    expect(read(text)).toEqual(message)
  })

  test.each([
    ['{"code":-32601,"message":"no"}', { code: -32601, message: 'no' }],
    ['{"code":3,"message":"reverted","data":"0x"}', { code: 3, message: 'reverted', data: '0x' }],
    ['{"code":3,"message":"m","data":null}', { code: 3, message: 'm', data: null }],
    ['{"code":"3","message":5}', { code: 0, message: '' }],
    ['{}', { code: 0, message: '' }],
    ['[1,"no"]', { code: 0, message: '' }],
    ['"boom"', { code: 0, message: 'boom' }],
    ['""', { code: 0, message: '' }],
    ['false', { code: 0, message: 'false' }],
    ['0', { code: 0, message: '0' }],
    ['-32000', { code: 0, message: '-32000' }],
  ])('json-rpc reads the error %s as one, however badly it is told', (text, error) => {
    for (const rest of ['', ',"result":null', ',"result":1']) {
      expect(read(`{"jsonrpc":"2.0","id":1,"error":${text}${rest}}`)).toEqual({ kind: 'error', id: 1, error })
      expect(read(`{"error":${text}${rest}}`)).toEqual({ kind: 'error', id: null, error })
    }
  })

  test.each(['{}', '[]', 'true'])('json-rpc refuses an answer with the id %s', (id) => {
    expect(refusal(`{"id":${id},"result":1}`)).toEqual(refused(null, 'an answer with an id that is none'))
  })

  test('json-rpc takes no bigint for the id of an answer', () => {
    expect(refusal('{"id":9007199254740993,"result":1}', { integers: 'bigint' })).toEqual(
      refused(null, 'an id that is none'),
    )
  })

  test('json-rpc gives unsafe integers as asked', () => {
    const text = '{"id":1,"result":[9007199254740993]}'
    expect(read(text, { integers: 'bigint' })).toMatchObject({ value: [9_007_199_254_740_993n] })
    expect(read(text, { integers: 'number' })).toMatchObject({ value: [9_007_199_254_740_992] })
    expect(() => read(text)).toThrow('[bad_message]')
  })

  test('json-rpc leaves a result raw where that is asked, and can decode it later', () => {
    const raw = read('{"jsonrpc":"2.0","id":1,"result": [1, 9007199254740993 ] }', { raw: true })
    expect(raw).toEqual({ kind: 'result', id: 1, value: new RawValue(Buffer.from('[1, 9007199254740993 ]')) })
    const { bytes } = (raw as { value: RawValue }).value
    expect(jsonRpc.readValue(bytes, 'bigint')).toEqual([1, 9_007_199_254_740_993n])
    expect(jsonRpc.readValue(Buffer.from('9007199254740993'), 'bigint')).toBe(9_007_199_254_740_993n)
    expect(read('{"id":1,"error":{"code":1,"message":"m"}}', { raw: true })).toMatchObject({ kind: 'error', id: 1 })
    expect(read('[{"id":1,"result":2}]', { raw: true })).toMatchObject({ kind: 'batch', messages: [{ value: 2 }] })
  })
})

test('json-rpc throws nothing but bad_frame and bad_message, whatever it reads (fast-check)', () => {
  const member = fc.constantFrom('jsonrpc', 'id', 'method', 'params', 'result', 'error', 'code', '__proto__')
  const text = fc.oneof(
    fc.json(),
    fc
      .dictionary(member, fc.oneof(fc.jsonValue(), fc.constantFrom('2.0', 'm', 1, null)))
      .map((value) => JSON.stringify(value)),
    fc.string(),
  )
  fc.assert(
    fc.property(text, fc.constantFrom('bigint', 'number', 'error'), fc.boolean(), (given, integers, raw) => {
      try {
        expect(read(given, { integers, raw }).kind).toMatch(/^(call|note|result|error|batch|invalid)$/)
      } catch (error) {
        if (!isPosternError(error, 'bad_frame') && !isPosternError(error, 'bad_message')) throw error
      }
      jsonRpc.peek(Buffer.from(given))
    }),
    { numRuns: 10_000 },
  )
})
