import { expect, test } from 'vitest'
import { frameLog } from './frame-log.ts'

function shown(direction: 'in' | 'out', frame: string | Uint8Array): string {
  const lines: string[] = []
  const log = frameLog((line) => lines.push(line))
  log.frame(direction, frame)
  log.close(undefined)
  return lines.join('')
}

test('frameLog shows which way a frame goes, escaped, on one line', () => {
  expect(shown('out', '{"id":1}')).toBe('--> {"id":1}\n')
  expect(shown('in', Buffer.from('{\n"a":"\u001b[2J\u202e"}\r'))).toBe('<-- {\\u000a"a":"\\u001b[2J\\u202e"}\\u000d\n')
})

test('frameLog shortens a long frame, and cuts no character in two', () => {
  const long = `${'x'.repeat(999)}é${'y'.repeat(5_000_000)}`
  expect(shown('in', Buffer.from(long))).toBe(`<-- ${'x'.repeat(999)}… (5001001 bytes)\n`)
  expect(shown('out', long)).toBe(`--> ${'x'.repeat(999)}é… (5001001 bytes)\n`)
})
