/** What docs/python.md says of Python must be so. */

import { describe, expect, it } from 'vitest'
import { struct } from '../../src/codecs/index.ts'
import { blocksOf, filesMatching, read } from '../docs/pages.ts'

const page = 'docs/python.md'

/** The rows of the table of format characters. */
const rows = [...read(page).matchAll(/^\| ((?:`\S` ?)+) \| (.+) \| (\d+|native only) \| (\d+) \|$/gm)].flatMap(
  ([, characters = '', values = '', bytes = '', nativeBytes = '']) => {
    const [value = '', nativeValue = value] = values.split('; native: ')
    const named = characters.replaceAll(/[` ]/g, '')
    return [...named].map((character) => ({ character, value, nativeValue, bytes, nativeBytes }))
  },
)

/** What a value of the format is, in the words of the table. */
function valueOf(format: string): string {
  const { size, unpack } = struct(format)
  const [value] = unpack(new Uint8Array(size))
  if (value === undefined) return 'none'
  return value instanceof Uint8Array ? '`Uint8Array`' : `\`${typeof value}\``
}

describe(page, () => {
  it('shows programs that are run by tests', () => {
    const programs = filesMatching(/\.py$/).map(read)
    const long = blocksOf(page).filter(({ language, code }) => language === 'python' && code.split('\n').length > 10)
    expect(long).toHaveLength(3)
    expect(long.filter(({ code }) => !programs.some((program) => program.includes(code)))).toEqual([])
  })

  it('lists every format character, with the values and the sizes that it has', () => {
    expect(rows.map(({ character }) => character).join('')).toBe('xcbB?hHiIlLqQnNPefdsp')
    for (const { character, value, nativeValue, bytes, nativeBytes } of rows) {
      expect(struct(character).size, character).toBe(Number(nativeBytes))
      expect(nativeValue, character).toContain(valueOf(character))
      if (bytes === 'native only') expect(() => struct(`<${character}`), character).toThrow('native formats only')
      else {
        expect(struct(`<${character}`).size, character).toBe(Number(bytes))
        expect(value, character).toContain(valueOf(`<${character}`))
      }
    }
  })
})
