import { constants } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { codecContract } from '../testing/codec-contract.ts'
import { type DecodeOptions, RawValue } from './codec.ts'
import { json } from './json.ts'

describe('codec contract', () => {
  const harness = {
    name: 'json',
    codec: json,
    unsafeInteger: Buffer.from('[9007199254740993]'),
    lacks: { 'bytes and large integers': 'JSON has neither, and refuses them' },
  }
  for (const { title, run } of codecContract(harness)) test(title, run)
})

function decode(text: string | Buffer, options?: DecodeOptions): unknown {
  return json.decode(Buffer.from(text as string), options)
}

test('json gives back every JSON value exactly (fast-check)', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(decode(json.encode(value) as string)).toStrictEqual(value)
    }),
    { numRuns: 10_000 },
  )
})

test('json writes what JSON.stringify writes, but for the numbers that this changes (fast-check)', () => {
  const literal = /(?<=^|[[,:])-?(?:0|\d\.?\d*e\+(?:1[5-9]|20))(?=$|[\],}])/g
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = json.encode(value) as string
      expect(text.replace(literal, (number) => JSON.stringify(Number(number)))).toBe(JSON.stringify(value))
    }),
    { numRuns: 2_000 },
  )
})

describe('encode', () => {
  class Account {
    readonly name = 'a'
    #secret = 1
    get secret(): number {
      return this.#secret
    }
  }

  test.each([
    ['a Date', new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ['an object with toJSON', { toJSON: (key: string) => `at ${key}` }, '"at "'],
    ['toJSON, told its key', { a: [{ toJSON: (key: string) => key }] }, '{"a":["0"]}'],
    ['a URL', new URL('http://a/b'), '"http://a/b"'],
    ['toJSON that gives -0', [{ toJSON: () => -0 }], '[-0]'],
    ['toJSON that gives an object with toJSON', { toJSON: () => ({ toJSON: 1 }) }, '{"toJSON":1}'],
    ['an instance of a class by its members', new Account(), '{"name":"a"}'],
    ['an object without prototype', Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
    ['the same object twice', ((shared) => [shared, shared])({ a: 1 }), '[{"a":1},{"a":1}]'],
    ['-0, among zeros', [0, -0, { a: -0 }, '-0'], '[0,-0,{"a":-0},"-0"]'],
    [
      'unsafe integers as doubles',
      [2 ** 53 - 1, 2 ** 53, -(2 ** 60)],
      '[9007199254740991,9.007199254740992e+15,-1.152921504606847e+18]',
    ],
    ['doubles as JavaScript does', [1e21, 1e-7, 0.1, 1.5e300], '[1e+21,1e-7,0.1,1.5e+300]'],
    ['lone surrogates as escapes', ['\ud800', '\udc00x'], '["\\ud800","\\udc00x"]'],
    ['members without undefined ones', { a: undefined, b: [{ c: undefined }] }, '{"b":[{}]}'],
    ['no member that a symbol names', { [Symbol('s')]: 1, a: 2 }, '{"a":2}'],
  ])('json writes %s', (_, value, text) => {
    expect(json.encode(value)).toBe(text)
  })

  test.each([
    [undefined, 'the value is undefined,'],
    [Number.NaN, 'the value is NaN,'],
    [[1, Number.NEGATIVE_INFINITY], '[1] is -Infinity,'],
    [[[undefined]], '[0][0] is undefined,'],
    [[1, , 3], '[1] is undefined,'],
    [{ a: { b: [{ c: 1n }] } }, 'a.b[0].c is the bigint 1,'],
    [10n ** 99n, `the value is the bigint ${10n ** 39n}…,`],
    [{ a: () => 1 }, 'a is a function,'],
    [{ a: Symbol('s') }, 'a is a symbol,'],
    [new Map(), 'the value is a Map,'],
    [{ a: new Set() }, 'a is a Set,'],
    [{ a: new Error('x') }, 'a is a Error,'],
    [/x/, 'the value is a RegExp,'],
    [Buffer.from('x'), 'the value is a Uint8Array,'],
    [{ bytes: new Uint8Array(2) }, 'bytes is a Uint8Array,'],
    [[new Date(Number.NaN)], '[0] is an invalid Date,'],
    [{ at: { toJSON: () => ({ b: [Number.NaN] }) } }, 'at.b[0] is NaN,'],
    [{ at: { toJSON: () => 1n } }, 'at is the bigint 1,'],
    [{ at: { toJSON: () => new Date(0) } }, 'at is a Date,'],
    [{ at: { toJSON: () => () => 1 } }, 'at is a function,'],
  ])('json refuses %s and says where it is', (value, words) => {
    expect(() => json.encode(value)).toThrow(TypeError)
    expect(() => json.encode(value)).toThrow(words)
    expect(() => json.encode(value)).toThrow(
      /JSON cannot carry; (use codec=msgpack or codec=cbor, or )?send it as a string$/,
    )
  })

  test.each([
    [1n, true],
    [[Buffer.from('x')], true],
    [new Uint8Array(1), true],
    [Number.NaN, false],
    [new Map(), false],
    [new Float64Array(1), false],
  ])('json names the codecs that carry %s, where there are any', (value, carried) => {
    const words = 'JSON cannot carry; use codec=msgpack or codec=cbor, or send it as a string'
    if (carried) expect(() => json.encode(value)).toThrow(words)
    else expect(() => json.encode(value)).toThrow('JSON cannot carry; send it as a string')
  })

  test('json refuses a value that contains itself, in members, lists and what toJSON gives', () => {
    const object: Record<string, unknown> = {}
    object['self'] = object
    const list: unknown[] = []
    list.push([list])
    const replaced = { toJSON: (): unknown => ({ replaced }) }
    for (const value of [object, list, replaced]) {
      expect(() => json.encode(value)).toThrow(TypeError)
      expect(() => json.encode(value)).toThrow('contains itself (a cycle)')
    }
  })

  test('json takes deep nesting, refuses deeper, and keeps the path readable', () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : { deeper: nested(depth - 1) })
    expect(decode(json.encode(nested(2_000)) as string)).toEqual(nested(2_000))
    expect(() => json.encode(nested(2_001))).toThrow('nested deeper than 2000')
    expect(() => json.encode(nested(2_001))).toThrow(/^.{1,500}$/)
  })

  test('json lets what a toJSON throws through', () => {
    const failure = new RangeError('mine')
    const value = {
      toJSON: () => {
        throw failure
      },
    }
    expect(() => json.encode([value])).toThrow(failure)
  })

  test('json refuses to make more text than a string can hold', () => {
    // The error is V8's own; only the 512 MB before it are spared.
    const tooLong = vi.spyOn(JSON, 'stringify').mockImplementation(() => 'x'.repeat(2 ** 30))
    onTestFinished(() => tooLong.mockRestore())
    for (const value of [['x'], [-0]])
      expect(() => json.encode(value)).toThrow('[frame_too_large] a frame has more than')
    tooLong.mockImplementation(() => {
      throw new RangeError('another')
    })
    expect(() => json.encode(['x'])).toThrow('another')
  })
})

describe('decode', () => {
  test.each([
    ['an overlong slash', [0xc0, 0xaf]],
    ['an overlong NUL', [0xc0, 0x80]],
    ['a three-byte overlong', [0xe0, 0x80, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a pair of surrogates', [0xed, 0xa0, 0xbd, 0xed, 0xb4, 0x91]],
    ['a code point over 10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['a byte that never occurs', [0xff]],
    ['a continuation without a start', [0x80]],
    ['a start without its continuation', [0xc3]],
    ['a character cut short', [0xf0, 0x9f, 0x94]],
    ['Latin-1', [0xe9]],
  ])('json refuses %s, wherever it stands', (_, wrong) => {
    for (const frame of [
      ['{"a":"', wrong, '"}'],
      ['{"', wrong, '":1}'],
      ['{"\ufffd":"', wrong, '"}'],
      ['{"a":1', wrong, '}'],
      [wrong],
    ]) {
      const bytes = Buffer.concat(frame.map((part) => Buffer.from(part as string)))
      expect(() => json.decode(bytes)).toThrow('[bad_frame]')
    }
    const text = Buffer.concat([Buffer.from('{"a":"'), Buffer.from(wrong), Buffer.from('"}')])
    expect(() => json.decode(text)).toThrow('[bad_frame] a frame is not valid UTF-8')
  })

  test('json takes a real U+FFFD, and every character there is', () => {
    expect(decode('{"\ufffd":"a\ufffdb"}')).toEqual({ '\ufffd': 'a\ufffdb' })
    for (let code = 0x20; code <= 0x10ffff; code += 0x101) {
      const character = String.fromCodePoint(code)
      if (/[\ud800-\udfff"\\]/.test(character) && character.length === 1) continue
      if (decode(`["${character}"]`) instanceof Array === false) expect.unreachable()
      expect((decode(`["${character}"]`) as string[])[0]).toBe(character)
    }
  })

  test.each([
    ['nothing', ''],
    ['white space', '  \n'],
    ['a byte order mark', '\ufeff{}'],
    ['text', 'hello'],
    ['single quotes', "{'a':1}"],
    ['a trailing comma', '[1,]'],
    ['a comment', '[1/**/]'],
    ['two values', '{}{}'],
    ['NUL behind a value', '{}\u0000'],
    ['a leading zero', '[01]'],
    ['a plus sign', '[+1]'],
    ['hexadecimal', '[0x10]'],
    ['NaN', '[NaN]'],
    ['a raw newline in a string', '["a\nb"]'],
    ['a raw tab in a string', '["a\tb"]'],
    ['a raw NUL in a string', '["a\u0000b"]'],
    ['an unknown escape', '["\\x41"]'],
    ['an unterminated string', '["a]'],
    ['a lone bracket', ']'],
    ['brackets that do not match', '[}'],
  ])('json refuses %s', (_, text) => {
    expect(() => decode(text)).toThrow('[bad_frame] a frame is not JSON: "')
    expect(() => decode(text, { integers: 'error', rawMember: 'result' })).toThrow('[bad_frame]')
  })

  test('json quotes the beginning of what it refuses, escaped', () => {
    expect(() => decode('\u001b[2J{}')).toThrow('got'.slice(3) + '"\\u001b[2J{}"')
    expect(() => decode('x'.repeat(1_000))).toThrow(`"${'x'.repeat(60)}"…`)
    expect(() => decode('\ufeff{}')).toThrow('"\\ufeff{}"')
  })

  test('json takes lone surrogates that are escaped, and the last of two members of one name', () => {
    expect(decode('["\\ud800"]')).toEqual(['\ud800'])
    expect(decode('{"a":1,"b":2,"a":3}')).toEqual({ a: 3, b: 2 })
  })

  test('json refuses more text than a string can hold', () => {
    const bytes = Buffer.alloc(constants.MAX_STRING_LENGTH + 1)
    expect(() => json.decode(bytes)).toThrow('[frame_too_large] a frame has more than')
  })

  test('json decodes nesting of any depth, with integers of any size in it', () => {
    for (const inner of ['', '9007199254740993']) {
      let value = decode(`${'['.repeat(100_000)}${inner}${']'.repeat(100_000)}`)
      let depth = 0
      for (; Array.isArray(value); depth++) value = value[0] as unknown
      expect(depth).toBe(100_000)
      expect(value).toBe(inner === '' ? undefined : 9_007_199_254_740_993n)
    }
  })
})

describe('rawMember', () => {
  const decodeRaw = (text: string): unknown => decode(text, { rawMember: 'result' })
  const raw = (text: string): RawValue => new RawValue(Buffer.from(text))

  test.each([
    ['{"id":1,"result":{"a":[1,2]}}', '{"a":[1,2]}', { id: 1 }],
    ['{"result":"0x0","id":1}', '"0x0"', { id: 1 }],
    ['{"result":null}', 'null', {}],
    ['{"result":-1.50e+10}', '-1.50e+10', {}],
    ['{"result":true,"jsonrpc":"2.0"}', 'true', { jsonrpc: '2.0' }],
    ['{ "id" : 1 ,\n\t"result" \r: [ 1 , 2 ] \n}', '[ 1 , 2 ]', { id: 1 }],
    ['{"result":"quote \\" brace } \\\\"}', '"quote \\" brace } \\\\"', {}],
    ['{"result":{"}":"]","\\"":["{"]},"id":7}', '{"}":"]","\\"":["{"]}', { id: 7 }],
    ['{"result":{"result":1},"params":{"result":2}}', '{"result":1}', { params: { result: 2 } }],
    ['{"a":"result","result":1}', '1', { a: 'result' }],
    ['{"a":"\\"result\\":5","result":[]}', '[]', { a: '"result":5' }],
    ['{"\\"result":5,"result":6}', '6', { '"result': 5 }],
    ['{"result":1,"result":{"second":true}}', '{"second":true}', {}],
    ['{"result":1,"id":3,"r\\u0065sult":2}', '2', { id: 3 }],
    ['{"result":"é日本🔑"}', '"é日本🔑"', {}],
    ['{"result":9007199254740993,"id":1}', '9007199254740993', { id: 1 }],
    ['{"result":{},"é":"ü"}', '{}', { é: 'ü' }],
  ])('json leaves the bytes of the member as they are in %s', (text, bytes, others) => {
    expect(decodeRaw(text)).toEqual({ ...others, result: raw(bytes) })
  })

  test.each([
    '{}',
    '{"id":1}',
    '{"Result":1}',
    '{"a":{"result":1}}',
    '{"a":"result"}',
    '{"error":{"result":1}}',
    '{"a":["result",1]}',
  ])('json decodes %s as it is, having no such member', (text) => {
    expect(decodeRaw(text)).toEqual(JSON.parse(text))
  })

  test.each(['["result",1]', '[{"result":1}]', '"result"', '1', 'null', '[]'])(
    'json decodes %s, which is no object',
    (text) => {
      expect(decodeRaw(text)).toEqual(JSON.parse(text))
    },
  )

  test.each([
    '{"result":}',
    '{"result":,"id":1}',
    '{"result":nope}',
    '{"result":1 2}',
    '{"result":1 "id":2}',
    '{"result" 1}',
    '{"result":1,}',
    '{"result":[1,2}',
    '{"result":"open}',
    '{"result":{},"id":}',
    '{"result":1}}',
    '{"result":1}{"result":2}',
    '{"result":1',
    '{result:1}',
    '{"result":01}',
    '{"result":"\ufffd',
    '{"r\\esult":1,"result":2}',
    '{"\\result":1',
  ])('json refuses %s', (text) => {
    expect(() => decodeRaw(text)).toThrow('[bad_frame]')
  })

  test('json refuses invalid UTF-8 inside the member and outside', () => {
    for (const [before, behind] of [
      ['{"result":"', '"}'],
      ['{"id":"', '","result":1}'],
    ] as const) {
      const bytes = Buffer.concat([Buffer.from(before), Buffer.from([0xff]), Buffer.from(behind)])
      expect(() => json.decode(bytes, { rawMember: 'result' })).toThrow('[bad_frame] a frame is not valid UTF-8')
    }
  })

  test('json treats numbers outside the member as it is asked to', () => {
    const text = '{"id":9007199254740993,"result":9007199254740995}'
    expect(decode(text, { rawMember: 'result' })).toEqual({
      id: 9_007_199_254_740_993n,
      result: raw('9007199254740995'),
    })
    expect(() => decode(text, { rawMember: 'result', integers: 'error' })).toThrow('[bad_message]')
  })

  test('json takes the names of prototypes for any other name', () => {
    const value = decode('{"__proto__":{"polluted":true},"id":1}', { rawMember: '__proto__' }) as object
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(Object.getOwnPropertyDescriptor(value, '__proto__')?.value).toEqual(raw('{"polluted":true}'))
    expect(decode('{"id":1}', { rawMember: 'toString' })).toEqual({ id: 1 })
  })

  test('json gives the bytes of any member of any object, as JSON.parse would (fast-check)', () => {
    const object = fc.dictionary(fc.constantFrom('result', 'id', 'a"b', '\\', ''), fc.jsonValue(), { maxKeys: 5 })
    fc.assert(
      fc.property(object, fc.constantFrom(0, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent)
        const whole = decode(text) as { result?: unknown }
        const got = decodeRaw(text) as { result?: RawValue }
        expect(Object.keys(got)).toEqual(Object.keys(whole))
        if (got.result !== undefined) {
          expect(got.result).toBeInstanceOf(RawValue)
          expect(json.decode(got.result.bytes)).toEqual(whole.result)
        }
        expect({ ...got, result: undefined }).toEqual({ ...whole, result: undefined })
      }),
      { numRuns: 5_000 },
    )
  })
})
