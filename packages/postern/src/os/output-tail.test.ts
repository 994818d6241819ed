import { expect, test } from 'vitest'
import { OutputTail, outputTailBytes } from './output-tail.ts'

test.each([1, 7, 1_000, outputTailBytes - 1, outputTailBytes, outputTailBytes + 1, 100_000])(
  'OutputTail holds the last 8 KiB of what comes in chunks of %i bytes',
  (size) => {
    const said = Array.from({ length: 20_000 }, (_, index) => String.fromCharCode(97 + (index % 26))).join('')
    const tail = new OutputTail()
    for (let at = 0; at < said.length; at += size) tail.push(Buffer.from(said.slice(at, at + size)))
    expect(tail.text()).toBe(said.slice(-outputTailBytes))
  },
)

test('OutputTail is no longer than what was said, and keeps no chunk alive', () => {
  const tail = new OutputTail()
  expect(tail.text()).toBe('')
  const chunk = Buffer.from('short')
  tail.push(chunk)
  chunk.fill('x')
  expect(tail.text()).toBe('short')
})
