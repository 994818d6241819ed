import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const bench = fileURLToPath(new URL('..', import.meta.url))

const large = ['500 records, 0.1 MB', '5,000 numbers, 0.1 MB', '0.1 MB of bytes']
const payloads = ['an object of 100 B', '50 records, 10 KB', ...large]
const base = 'JSON.stringify, JSON.parse'
const ways = [base, 'postern json', 'msgpackr', 'postern msgpack', 'cbor-x', 'postern cbor']
const conversations = ['JSON, newlines', 'JSON, length-prefix', 'JSON, content-length', 'MessagePack', 'CBOR']

/** The rows that a quick run must have in one setting, by the names of their groups. */
const groupsIn = (setting: string): [group: string, names: string[]][] => [
  ...payloads.flatMap((payload): [string, string[]][] => [
    [`encoding ${payload}, ${setting}`, ways],
    [`decoding ${payload}, ${setting}`, ways],
    [`frame of ${payload}`, ways],
  ]),
  ...payloads.map((payload): [string, string[]] => [`echo call with ${payload}, p50, ${setting}`, conversations]),
]

interface Report {
  readonly notPinned?: string
  readonly rows: readonly { group: string; name: string; median: number; ratio: { median: number } }[]
}

test('bench:codecs --quick measures every row, and leaves nothing behind', { timeout: 60_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'bench-test-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const file = join(directory, 'report.json')
  const stdout = await run(directory, ['--quick', '--json', file])
  const { rows, notPinned } = JSON.parse(await readFile(file, 'utf8')) as Report
  const groups = groupsIn(notPinned === undefined ? 'pinned' : 'free')
  const expected = groups.flatMap(([group, names]) => names.map((name) => ({ group, name })))
  expect(rows.map(({ group, name }) => ({ group, name }))).toEqual(expected)
  // Even a short turn takes time, and a frame has bytes.
  for (const row of rows) expect(row.median > 0 && row.ratio.median > 0, JSON.stringify(row)).toBe(true)
  for (const [group] of groups) expect(stdout).toContain(group)
  expect((await readdir(directory)).filter((name) => name.startsWith('postern-bench-'))).toEqual([])
})

/** Runs the program to its end and returns what it printed. */
async function run(directory: string, args: readonly string[]): Promise<string> {
  const program = spawn(process.execPath, ['--import', 'tsx', 'src/codecs.ts', ...args], {
    cwd: bench,
    env: { ...process.env, TMPDIR: directory },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void program.kill())
  const output = { stdout: '', stderr: '' }
  program.stdout.on('data', (text) => (output.stdout += String(text)))
  program.stderr.on('data', (text) => (output.stderr += String(text)))
  const [status] = (await once(program, 'close')) as [number | null]
  expect(status, output.stderr).toBe(0)
  return output.stdout
}
