import { describe, expect, test } from 'vitest'
import { seededRandom } from '../testing/seeded-random.ts'
import { ChunkText, Frame } from './frame.ts'

describe('Frame', () => {
  test('Frame is the whole chunk, or the part of it that was given', () => {
    const chunk = Buffer.from('{"a":1}\n{"b":2}\n')
    expect(new Frame(chunk).bytes).toBe(chunk)
    expect(new Frame(chunk).length).toBe(16)
    const part = new Frame(chunk, 8, 15)
    expect(part.length).toBe(7)
    expect(part.bytes.toString()).toBe('{"b":2}')
    expect(part.text()).toBe('{"b":2}')
    expect(new Frame(chunk, 0, 7).bytes.toString()).toBe('{"a":1}')
    expect(part.bytes.buffer).toBe(chunk.buffer)
  })

  test.each([
    ['plain', 'plain'],
    ['é日本🔑', 'é日本🔑'],
    ['a real \ufffd', 'a real \ufffd'],
    ['\ufeffmarked', '\ufeffmarked'],
    ['', ''],
  ])('Frame gives the text of %j, with and without its chunk', (text, same) => {
    const chunk = Buffer.from(`${text}\n`)
    const end = chunk.length - 1
    expect(new Frame(chunk, 0, end).text()).toBe(same)
    expect(new Frame(chunk, 0, end, new ChunkText(chunk)).text()).toBe(same)
  })

  test.each([[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xc3], [0xef, 0xbf, 0xbd, 0xff]])(
    'Frame gives no text for bytes that are not UTF-8',
    (...bytes) => {
      const chunk = Buffer.concat([Buffer.from('{"a":1}\n"'), Buffer.from(bytes), Buffer.from('"\n')])
      const text = new ChunkText(chunk)
      expect(new Frame(chunk, 8, chunk.length - 1, text).text()).toBeUndefined()
      expect(new Frame(chunk, 0, 7, text).text()).toBe('{"a":1}')
    },
  )
})

describe('ChunkText', () => {
  test('ChunkText gives slices of whole lines, and nothing behind the last newline', () => {
    const text = new ChunkText(Buffer.from('{"a":1}\n{"b":2}\n{"c"'))
    expect(text.slice(0, 7)).toBe('{"a":1}')
    expect(text.slice(8, 15)).toBe('{"b":2}')
    expect(text.slice(16, 20)).toBeUndefined()
  })

  test.each(['{"é":1}\n{"b":2}\n', '{"a":1}', ''])(
    'ChunkText gives nothing for %j, where places differ or no line ends',
    (chunk) => {
      expect(new ChunkText(Buffer.from(chunk)).slice(0, 7)).toBeUndefined()
    },
  )

  test('ChunkText minds only the whole lines: half a character behind them is no matter', () => {
    const chunk = Buffer.concat([Buffer.from('{"a":1}\n'), Buffer.from([0xc3])])
    expect(new ChunkText(chunk).slice(0, 7)).toBe('{"a":1}')
  })

  test('ChunkText gives what each frame alone gives, for any chunk', () => {
    for (let seed = 1; seed <= 500; seed++) {
      const random = seededRandom(seed)
      const pieces = Array.from({ length: 1 + random.below(8) }, () =>
        random.pick(['ab', 'é', '\n', '🔑\n', 'line\n', '\ufffd']),
      )
      const chunk = Buffer.concat([
        Buffer.from(pieces.join('')),
        random.below(4) === 0 ? random.bytes(2) : Buffer.alloc(0),
      ])
      const text = new ChunkText(chunk)
      const start = random.below(chunk.length)
      const end = start + random.below(chunk.length - start + 1)
      const together = new Frame(chunk, start, end, text).text()
      expect(together, `seed ${seed}`).toBe(new Frame(chunk, start, end).text())
    }
  })
})
