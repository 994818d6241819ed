import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

/** Some fifty processes, each with its start, on a machine that may be busy. */
const allCasesMs = 180_000

const bench = fileURLToPath(new URL('..', import.meta.url))

const mechanisms = [
  'raw net',
  'channel, memory',
  'channel, stdio',
  'channel, unix',
  'channel, tcp',
  'channel, shm',
  'channel, shm, spinning',
  'shm, bytes alone',
]

interface Report {
  readonly notPinned?: string
  readonly notes: readonly string[]
  readonly rows: readonly { group: string; name: string; median: number }[]
}

test('bench:mechanisms --quick measures every row, and leaves nothing behind', { timeout: allCasesMs }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'bench-test-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const file = join(directory, 'report.json')
  const { status, stderr } = await finish(start(directory, ['--quick', '--json', file]))
  expect(status, stderr).toBe(0)
  const { rows, notes, notPinned } = JSON.parse(await readFile(file, 'utf8')) as Report
  const hasFloor = !notes.some((note) => note.startsWith('without the C program'))
  const groups = groupsIn(notPinned === undefined ? 'pinned' : 'free', hasFloor)
  expect(rows.map(({ group, name }) => ({ group, name }))).toEqual(
    groups.flatMap(([group, names]) => names.map((name) => ({ group, name }))),
  )
  for (const row of rows) expect(Number.isFinite(row.median) && row.median > 0, JSON.stringify(row)).toBe(true)
  for (const name of mechanisms) expect(notes.some((note) => note.startsWith(`${name}: `))).toBe(true)
  expect((await readdir(directory)).filter((name) => name.startsWith('postern-bench-'))).toEqual([])
})

/** The rows that a quick run must have in one setting, by the names of their groups. */
function groupsIn(setting: string, hasFloor: boolean): readonly (readonly [group: string, names: readonly string[]])[] {
  const spinning = setting === 'free' ? ['C, shared memory, spinning'] : []
  const floor = hasFloor ? ['C, Unix socket', 'C, shared memory, eventfd', ...spinning] : []
  const copy = hasFloor ? ['C, memcpy'] : []
  const percentiles = ['p50', 'p99']
  return [
    ...['64 B', '100 B', '64 KB'].flatMap((size) =>
      percentiles.map((which) => [`echo of ${size}, ${which}, ${setting}`, [...mechanisms, ...floor]] as const),
    ),
    ...['64 B', '64 KB', '4 MB'].map(
      (size) => [`${size} messages one way, ${setting}`, [...mechanisms, ...floor, ...copy]] as const,
    ),
    [`4 MB through the ring, beside a copy, ${setting}`, hasFloor ? [...copy, 'shm, bytes alone'] : []],
    ...percentiles.map(
      (which) => [`whole small call, ${which}, ${setting}`, ['unix:', 'shm:', 'shm:, spinUs=50']] as const,
    ),
    ...['1 KB', '4 MB'].map((size) => [`call with ${size}, ${setting}`, ['handed over', 'in the frame']] as const),
    [`blob handed over, by its size, ${setting}`, ['1 KB', '4 MB']],
  ]
}

function start(directory: string, args: readonly string[]): ChildProcess {
  const program = spawn(process.execPath, ['--import', 'tsx', 'src/mechanisms.ts', ...args], {
    cwd: bench,
    env: { ...process.env, TMPDIR: directory },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  onTestFinished(() => void program.kill('SIGKILL'))
  return program
}

/** Waits until the program and all that inherited its stderr, which its children do, have ended. */
async function finish(program: ChildProcess): Promise<{ readonly status: number | null; readonly stderr: string }> {
  let stderr = ''
  program.stderr?.on('data', (text) => (stderr += String(text)))
  const [status] = (await once(program, 'close')) as [number | null]
  return { status, stderr }
}
