import fc from 'fast-check'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { SchemaTypes } from './schema-types.ts'

const typeOf = (schema: unknown): string => new SchemaTypes({}).type(schema, 'Hint')

/** The type, and what it names. */
function allOf(schema: unknown, document = {}): string[] {
  const types = new SchemaTypes(document)
  return [types.type(schema, 'Hint'), ...types.declarations()]
}

/** What TypeScript has against the text of a module. */
function faultsOf(text: string): string[] {
  const path = '/generated.ts'
  const options: ts.CompilerOptions = { strict: true, noEmit: true, target: ts.ScriptTarget.ES2023, types: [] }
  const host = ts.createCompilerHost(options)
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023)
  const program = ts.createProgram([path], options, {
    ...host,
    getSourceFile: (name, version) => (name === path ? file : host.getSourceFile(name, version)),
  })
  return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
    ({ start = 0, messageText }) => {
      const line = text.slice(text.lastIndexOf('\n', start) + 1).split('\n')[0]
      return `${ts.flattenDiagnosticMessageText(messageText, ' ')}: ${line}`
    },
  )
}

describe('SchemaTypes', () => {
  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'unknown'],
    ['anything', {}, 'unknown'],
    ['true', true, 'unknown'],
    ['false', false, 'never'],
    ['not anything', { not: {} }, 'never'],
    ['a string', { type: 'string', pattern: '^a' }, 'string'],
    ['a whole number', { type: 'integer', minimum: 0 }, 'number'],
    ['several types', { type: ['string', 'null'] }, 'string | null'],
    ['an unknown type', { type: 'date' }, 'unknown'],
    ['nullable', { type: 'number', nullable: true }, 'number | null'],
    ['a constant', { const: "it's" }, '"it\'s"'],
    ['an enum', { type: 'string', enum: ['a', 1, null, true, -2] }, "'a' | 1 | null | true | -2"],
    ['an enum of objects', { enum: [{ a: 1 }] }, 'unknown'],
    ['an enum of nothing', { enum: [] }, 'never'],
    ['a constant beyond numbers', { const: 12345678901234567890n }, 'number'],
    ['one of several', { oneOf: [{ type: 'string' }, { type: 'number' }, { type: 'string' }] }, 'string | number'],
    ['one of anything', { anyOf: [{}, { type: 'string' }] }, 'unknown'],
    [
      'all of several',
      { allOf: [{ type: 'string' }, { anyOf: [{ const: 'a' }, { const: 'b' }] }] },
      "string & ('a' | 'b')",
    ],
    ['choices of an object', { type: 'object', anyOf: [{ properties: { a: {} } }] }, '{ a?: unknown }'],
    ['an array', { type: 'array', items: { type: ['string', 'null'] } }, '(string | null)[]'],
    ['an array of anything', { type: 'array' }, 'unknown[]'],
    [
      'a tuple',
      { type: 'array', items: [{ type: 'string' }, {}], additionalItems: false, minItems: 2 },
      '[string, unknown]',
    ],
    ['a tuple of 2020-12', { prefixItems: [{ type: 'string' }], items: { type: 'number' } }, '[string, ...number[]]'],
    [
      'a tuple with an optional end',
      { items: [{ type: 'string' }, { type: ['number', 'null'] }], minItems: 1 },
      '[string, (number | null)?]',
    ],
    [
      'an object',
      { type: 'object', properties: { a: { type: 'string' }, b: {} }, required: ['a'] },
      '{ a: string; b?: unknown }',
    ],
    ['some object', { type: 'object' }, '{ [key: string]: unknown }'],
    ['an empty object', { type: 'object', additionalProperties: false }, '{ [key: string]: never }'],
    ['a record', { type: 'object', additionalProperties: { type: 'number' } }, '{ [key: string]: number }'],
    [
      'an object and more',
      { properties: { a: { type: 'string' } }, additionalProperties: { type: 'number' } },
      '{ a?: string; [key: string]: unknown }',
    ],
    [
      'names that are no words',
      { properties: { 'a-b': {}, "it's": {}, '\u2028"\n': {}, ['__proto__']: {} } },
      '{ \'a-b\'?: unknown; "it\'s"?: unknown; "\\u2028\\"\\n"?: unknown; __proto__?: unknown }',
    ],
  ])('gives a type for %s', (_, schema, type) => {
    // A literal __proto__ would be the prototype; JSON.parse makes a member of it.
    expect(typeOf(schema)).toBe(type)
  })

  test('stands on several lines when it is long or says something of its properties', () => {
    const block = { properties: { hash: { type: 'string', description: 'Of the header.' }, size: { type: 'integer' } } }
    expect(new SchemaTypes({}).type({ properties: { block, x: {} } }, 'Hint', '  ')).toBe(
      '{\n    block?: {\n      /** Of the header. */\n      hash?: string\n      size?: number\n    }\n    x?: unknown\n  }',
    )
    const long = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`property${index}`, { type: 'string' }]))
    expect(typeOf({ properties: long }).split('\n')).toHaveLength(11)
  })

  test('names what a schema refers to', () => {
    const tree = { properties: { kids: { items: { $ref: '#/$defs/Tree' } } } }
    expect(allOf({ $ref: '#/$defs/Tree', $defs: { Tree: tree } })).toEqual(['Tree', 'type Tree = { kids?: Tree[] }'])
    expect(allOf({ properties: { kids: { items: { $ref: '#' } } } })).toEqual([
      '{ kids?: Hint[] }',
      'type Hint = { kids?: Hint[] }',
    ])
    expect(allOf({ items: { $ref: '#/definitions/__schema0' }, definitions: { __schema0: { const: 1 } } })).toEqual([
      'Schema0[]',
      'type Schema0 = 1',
    ])
    expect(allOf({ $ref: '#/components/schemas/a~1b%20c' }, { components: { schemas: { 'a/b c': {} } } })).toEqual([
      'ABC',
      'type ABC = unknown',
    ])
    for (const $ref of ['#/nowhere', 'https://example.org/x', '#/constructor', '#/%', '']) {
      expect(allOf({ $ref })).toEqual(['unknown'])
    }
  })

  test('gives equal definitions one name and different ones two', () => {
    const types = new SchemaTypes({}, ['Taken'])
    const schema = (text: string, name = 'Id') => ({
      $ref: `#/definitions/${name}`,
      definitions: { [name]: { type: text } },
    })
    expect(
      [schema('string'), schema('string'), schema('number'), schema('string', 'taken')].map((one) =>
        types.type(one, 'Hint'),
      ),
    ).toEqual(['Id', 'Id', 'Id2', 'Taken2'])
    expect(types.declarations()).toEqual(['type Id = string', 'type Id2 = number', 'type Taken2 = string'])
  })

  test('breaks circles that TypeScript refuses', () => {
    const $defs = {
      A: { anyOf: [{ $ref: '#/$defs/B' }, { type: 'string' }] },
      B: { allOf: [{ $ref: '#/$defs/A' }] },
      C: { $ref: '#/$defs/C' },
    }
    const texts = allOf({ anyOf: [{ $ref: '#/$defs/A' }, { $ref: '#/$defs/C' }], $defs })
    expect(texts).toEqual(['A | C', 'type A = B | string', 'type C = unknown', 'type B = unknown'])
  })

  test('survives what is deep, long and far apart', () => {
    let deep: unknown = { type: 'string' }
    for (let level = 0; level < 5_000; level++) deep = { type: 'array', items: deep }
    expect(typeOf(deep)).toMatch(/^unknown(\[\]){30,40}$/)
    const links = Array.from(
      { length: 20_000 },
      (_, index) => [`T${index}`, { $ref: `#/$defs/T${index + 1}` }] as const,
    )
    expect(allOf({ $ref: '#/$defs/T0', $defs: Object.fromEntries(links) })).toHaveLength(20_001)
  })

  test('compiles whatever the schemas say', () => {
    const word = fc.constantFrom(
      'a',
      '*/',
      '\u2028',
      '__proto__',
      "'",
      '"\\',
      '${x}',
      'constructor',
      'b-c',
      '\n//',
      '@ts-ignore',
    )
    const references = fc.constantFrom('#', '#/$defs/A', '#/$defs/B', '#/$defs/C', '#/$defs/any', '#/nowhere')
    const { schema } = fc.letrec<{ schema: unknown; list: unknown[] }>((tie) => ({
      list: fc.array(tie('schema'), { maxLength: 3 }),
      schema: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.record({ $ref: references }),
        fc.constantFrom(true, false, {}, null, 7, { type: 'string' }, { type: ['null', 'integer'] }),
        fc.record({ enum: fc.array(fc.oneof(word, fc.integer(), fc.constant(null), fc.double())) }),
        fc.record({ const: word, nullable: fc.boolean(), description: word }),
        fc.record({ anyOf: tie('list'), nullable: fc.boolean() }, { requiredKeys: [] }),
        fc.record({ allOf: tie('list'), type: fc.constantFrom('object', 'string') }, { requiredKeys: [] }),
        fc.record(
          {
            type: fc.constant('array'),
            items: fc.oneof(tie('schema'), tie('list')),
            additionalItems: tie('schema'),
            minItems: fc.nat(3),
          },
          { requiredKeys: ['items'] },
        ),
        fc.record({ prefixItems: tie('list'), items: tie('schema') }, { requiredKeys: ['prefixItems'] }),
        fc.record(
          {
            properties: fc.dictionary(word, tie('schema'), { maxKeys: 3 }),
            required: fc.array(word),
            additionalProperties: tie('schema'),
          },
          { requiredKeys: [] },
        ),
      ),
    }))
    const root = fc.tuple(schema, fc.record({ A: schema, B: schema, C: schema, any: schema }))
    const types = new SchemaTypes({})
    const texts = fc
      .sample(root, { numRuns: 600, seed: 42 })
      .map(([given, $defs], index) =>
        types.type(typeof given === 'object' && given !== null ? { ...given, $defs } : given, `Hint${index}`),
      )
    const text = [...types.declarations(), ...texts.map((type, index) => `type Root${index} = ${type}`)].map(
      (line) => `export ${line}\n`,
    )
    expect(faultsOf(text.join(''))).toEqual([])
  })
})
