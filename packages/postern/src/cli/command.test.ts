import { describe, expect, test } from 'vitest'
import { parseCommandLine } from './command.ts'
import { UsageError } from './usage-error.ts'

const options = {
  timeout: { type: 'string', value: 'TIME', help: '' },
  at: { type: 'string', multiple: true, value: 'ADDRESS', help: '' },
  raw: { type: 'boolean', help: '' },
  quiet: { type: 'boolean', short: 'q', help: '' },
} as const

const parse = (...args: string[]) => parseCommandLine({ name: 'call', options }, args)

describe('parseCommandLine', () => {
  test('finds options anywhere among the arguments', () => {
    const { values, positionals } = parse('-q', 'a', '--timeout', '5s', 'b', '--at=x', '--at', 'y', '--raw')
    expect(positionals).toEqual(['a', 'b'])
    expect(values).toEqual({ quiet: true, timeout: '5s', at: ['x', 'y'], raw: true })
  })

  test('takes negative numbers, - and what stands behind -- for arguments', () => {
    expect(parse('m', '-1', '-.5', '-').positionals).toEqual(['m', '-1', '-.5', '-'])
    expect(parse('m', '--', '--raw', '-2', '--').positionals).toEqual(['m', '--raw', '-2', '--'])
    expect(parse('--timeout', '-5').values).toEqual({ timeout: '-5' })
  })

  test('takes a value behind = whatever it is', () => {
    expect(parse('--timeout=--raw', '--at=').values).toEqual({ timeout: '--raw', at: [''] })
  })

  test.each<[string, readonly string[], string]>([
    ['an option near to one', ['--timout', '5'], 'call has no option --timout; did you mean --timeout?'],
    ['an option near to none', ['--colour'], 'call has no option --colour; there are --timeout, --at, --raw, --quiet'],
    ['a short option', ['-x'], 'call has no option -x; there are'],
    ['an option named like a member of every object', ['--constructor'], 'call has no option --constructor; there are'],
    ['a missing value', ['--timeout'], '--timeout needs a value: --timeout TIME'],
    ['an option in place of a value', ['--timeout', '--raw'], '--timeout needs a value: --timeout TIME'],
    ['a value too many', ['--raw=yes'], '--raw takes no value'],
  ])('refuses %s', (_, args, message) => {
    expect(() => parse(...args)).toThrow(UsageError)
    expect(() => parse(...args)).toThrow(message)
  })
})
