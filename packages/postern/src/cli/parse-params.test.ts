import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseParams } from './parse-params.ts'
import { UsageError } from './usage-error.ts'

interface Given {
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  readonly stdin?: string
}

async function parse(args: readonly string[], { files = {}, stdin }: Given = {}): Promise<unknown> {
  return (await parseWithWarnings(args, { files, ...(stdin === undefined ? {} : { stdin }) })).params
}

async function parseWithWarnings(args: readonly string[], { files = {}, stdin }: Given = {}) {
  const warnings: string[] = []
  const params = await parseParams(args, {
    readFile: async (path) => {
      const content = files[path]
      if (content === undefined) throw new Error(`ENOENT: no such file, open '${path}'`)
      return Buffer.from(content)
    },
    readStdin: async () => {
      if (stdin === undefined) throw new Error('stdin was not to be read')
      return Buffer.from(stdin)
    },
    warn: (text) => warnings.push(text),
  })
  return { params, warnings }
}

describe('parseParams', () => {
  test.each<[string, readonly string[], unknown]>([
    ['nothing', [], undefined],
    ['JSON, and strings for what is none', ['7', 'true', 'null', 'latest', '1.5e3'], [7, true, null, 'latest', 1500]],
    ['a quoted string, which JSON makes one', ['"7"'], ['7']],
    ['an empty argument', [''], ['']],
    ['a negative number', ['-5'], [-5]],
    ['a hexadecimal quantity', ['0x10'], ['0x10']],
    ['digits that JSON does not take for a number', ['007'], ['007']],
    ['a sole object', ['{"a":1}'], { a: 1 }],
    ['a sole array', ['[1,[2]]'], [1, [2]]],
    ['an empty array', ['[]'], []],
    ['a sole null, which is no object', ['null'], [null]],
    ['an object among others', ['{"a":1}', 'latest'], [{ a: 1 }, 'latest']],
    ['an array among others', ['[1]', '[2]'], [[1], [2]]],
    ['pairs', ['a=1', 'b=x', 'c.d-e={"f":[]}'], { a: 1, b: 'x', 'c.d-e': { f: [] } }],
    ['a pair whose value has an equals sign', ['a=b=c'], { a: 'b=c' }],
    ['a pair with line breaks in its value', ['a=b\nc'], { a: 'b\nc' }],
    ['a pair named __proto__', ['__proto__=1'], JSON.parse('{"__proto__":1}')],
    ['not all of them pairs', ['a=1', 'b'], ['a=1', 'b']],
    ['base64, which is no pair', ['aGVsbG8=', 'YQ=='], ['aGVsbG8=', 'YQ==']],
    ['a pair in quotes, which is a string', ['"a=1"'], ['a=1']],
    ['a URL with a query', ['http://host/?a=b'], ['http://host/?a=b']],
    ['the largest whole number', ['9007199254740991'], [9007199254740991]],
    ['large digits in a string', ['"9007199254740993"'], ['9007199254740993']],
  ])('takes %s', async (_, args, expected) => {
    expect(await parse(args)).toStrictEqual(expected)
  })

  test('reads a file for @ and stdin for -', async () => {
    const files = { 'a.json': '{"a":1}', 'b.json': '\ufeff 2 \n' }
    expect(await parse(['@a.json'], { files })).toEqual({ a: 1 })
    expect(await parse(['@a.json', '@b.json'], { files })).toEqual([{ a: 1 }, 2])
    expect(await parse(['-'], { stdin: '[1]\n' })).toEqual([1])
    expect(await parse(['x', '-'], { stdin: '"y"' })).toEqual(['x', 'y'])
    expect(await parse(['@-'], { stdin: '3' })).toEqual([3])
    expect(await parse(['"-"', '"@a"'])).toEqual(['-', '@a'])
  })

  test.each<[string, readonly string[], Given, RegExp]>([
    [
      'a whole number beyond 2^53 - 1',
      ['9007199254740993'],
      {},
      /9007199254740993.*would be rounded; write it as a string/,
    ],
    ['a negative one', ['-9007199254740993'], {}, /would be rounded/],
    ['one inside an object', ['{"a":[9007199254740993]}'], {}, /would be rounded/],
    ['one in a pair', ['a=9007199254740993'], {}, /would be rounded/],
    ['one in a file', ['@f'], { files: { f: '{"a":9007199254740993}' } }, /^@f: the integer 9007199254740993/],
    ['a number beyond a double', ['1e400'], {}, /beyond the range of a double/],
    ['a pair that stands twice', ['a=1', 'a=2'], {}, /a= stands twice/],
    ['a file that is not there', ['@nope'], {}, /cannot read @nope: ENOENT/],
    ['a file that is not JSON', ['@f'], { files: { f: '{a:1}' } }, /^@f is not JSON: /],
    ['an empty file', ['@f'], { files: { f: '' } }, /^@f is not JSON: /],
    ['a file that is not UTF-8', ['@f'], { files: { f: Uint8Array.of(0x22, 0xff, 0x22) } }, /^@f is not valid UTF-8/],
    ['no file name', ['@'], {}, /behind @ stands the name of a file/],
    ['stdin that is not JSON', ['-'], { stdin: 'x' }, /^stdin is not JSON/],
    ['stdin twice', ['-', '@-'], { stdin: '1' }, /stdin can be read only once/],
    ['nesting beyond what can be sent', ['['.repeat(3_000) + ']'.repeat(3_000)], {}, /cannot be sent/],
  ])('refuses %s', async (_, args, given, message) => {
    const parsing = parse(args, given)
    await expect(parsing).rejects.toThrow(message)
    await expect(parsing).rejects.toBeInstanceOf(UsageError)
  })

  test('warns of what was meant as JSON and is sent as a string', async () => {
    const { params, warnings } = await parseWithWarnings(['{a:1}', 'a[0]'])
    expect(params).toEqual(['{a:1}', 'a[0]'])
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain('{a:1} looks like JSON but is not')
  })

  test('gives back any JSON value that is written as one argument among others', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const text = JSON.stringify(value)
        // Whole numbers beyond 2^53 - 1 are refused.
        fc.pre(!/[:,[]-?\d{16,}[,\]}]/.test(`[${text}]`))
        expect(await parse(['x', text])).toEqual(['x', JSON.parse(text)])
      }),
    )
  })

  test('takes any other text as the string that it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (text) => {
        fc.pre(!/^\s*(?:[-\d[{"@]|true|false|null)/.test(text))
        expect(await parse(['x', text])).toEqual(['x', text])
      }),
    )
  })
})
