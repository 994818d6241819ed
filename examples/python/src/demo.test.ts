import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runDemo } from './demo.ts'
import { whyNoPython } from './python-program.ts'

/** Far more than it takes: it starts three programs, on a machine that may be busy. */
const timeout = 120_000

const readByPython = [
  '   it is 19.5 °C in the hall',
  '   before that 18.4 18.6 19.8 20.9 21.5 21.7 22.0 21.2 20.4 19.5',
  '   no_such_sensor: there are cellar and hall',
]
const servedByPython = [
  '   5 values, 22 on average, deviation 1.67',
  '   smoothed: 20 21 21 22.666666666666668 22.666666666666668',
  '   of no values: invalid_params',
]
const expected = [
  'python3 read_sensor.py readings.sock',
  ...readByPython,
  'python3 read_sensor.py readings.sock --by-line',
  ...readByPython,
  'python3 serve_python.py stats.sock',
  ...servedByPython,
  ...servedByPython,
]

let directory = ''
let oldTmpdir: string | undefined

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-example-'))
  oldTmpdir = process.env['TMPDIR']
  process.env['TMPDIR'] = directory
})

afterEach(async () => {
  if (oldTmpdir === undefined) delete process.env['TMPDIR']
  else process.env['TMPDIR'] = oldTmpdir
  await rm(directory, { recursive: true, force: true })
})

test('runDemo has both sides call each other in both framings, and leaves nothing behind', {
  timeout,
}, async ({ skip }) => {
  const why = whyNoPython()
  if (why !== undefined) skip(why)
  const said: string[] = []
  await runDemo((line) => said.push(line))
  expect(said).toEqual(expected)
  expect(readdirSync(directory)).toEqual([])
})

test('the program ends by itself, and at a signal at once, with nothing left behind', { timeout }, async ({ skip }) => {
  const why = whyNoPython()
  if (why !== undefined) skip(why)
  const main = fileURLToPath(new URL('main.ts', import.meta.url))
  for (const [stopped, end] of [
    [false, 0],
    [true, 130],
  ] as const) {
    const child = spawn(process.execPath, ['--import', 'tsx', main], { stdio: ['ignore', 'pipe', 'pipe'] })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString()
      if (stopped) child.kill('SIGINT')
    })
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
    })
    const [status] = await once(child, 'close')
    expect(status, stderr).toBe(end)
    if (!stopped) expect(stdout.trimEnd().split('\n')).toEqual(expected)
    expect(readdirSync(directory).filter((name) => name.startsWith('postern-'))).toEqual([])
  }
})
