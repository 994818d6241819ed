import { describe, expect, test } from 'vitest'
import { commands } from './commands.ts'
import { commandHelp, programHelp } from './help.ts'

const loaded = await Promise.all(
  Object.entries(commands).map(async ([name, { load }]) => ({ name, command: (await load()).command })),
)

describe.each(loaded)('the help of $name', ({ name, command }) => {
  const help = commandHelp(command)

  test('has usage, every option, examples that call it and the exit statuses', () => {
    expect(command.name).toBe(name)
    expect(help).toMatch(new RegExp(`^Usage: postern ${name}\\b`))
    for (const option of Object.keys(command.options)) expect(help).toContain(`--${option}`)
    expect(command.examples.length).toBeGreaterThan(0)
    for (const [line] of command.examples) expect(line).toMatch(new RegExp(`postern ${name}\\b`))
    expect(help).toMatch(/Exit status\n {2}0 {2}the answer\n/)
  })

  test('fits a terminal of 130 columns', () => {
    expect(help.split('\n').filter((line) => line.length > 130)).toEqual([])
  })
})

test('the help of the program lists the commands', () => {
  const help = programHelp({ call: { summary: 'call a method' }, sub: { summary: 'subscribe' } })
  expect(help).toContain('  call  call a method\n  sub   subscribe\n')
  expect(help).toContain('POSTERN_ADDRESS')
})
