import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { findAnvil } from '../../examples/ethereum/src/anvil.ts'

const anvilPath = findAnvil()
if (anvilPath === undefined) {
  process.stderr.write(`skipped: @foundry-rs/anvil has no program for ${process.platform}-${process.arch} here\n`)
}

const bench = fileURLToPath(new URL('..', import.meta.url))

const clients = ['thirty-line client, IPC', 'node:http, keep-alive', 'postern, IPC']
const figures = [
  'eth_blockNumber, p50',
  'eth_blockNumber, 100 in flight',
  '2.4 MB trace, wall',
  '2.4 MB trace, CPU of the client',
  "2.4 MB trace, longest stall of the client's event loop",
]

interface Report {
  readonly notPinned?: string
  readonly notes: readonly string[]
  readonly rows: readonly { group: string; name: string; median: number; ratio?: { median: number } }[]
}

describe.skipIf(anvilPath === undefined)('bench:ethereum, on anvils of its own', { timeout: 120_000 }, () => {
  test('bench:ethereum --quick measures every row, and leaves nothing behind', async () => {
    const directory = await temporaryDirectory()
    const file = join(directory, 'report.json')
    const { stdout, stderr, status } = await finish(start(directory, ['--quick', '--json', file]))
    expect(status, stderr).toBe(0)
    const { rows, notes, notPinned } = JSON.parse(await readFile(file, 'utf8')) as Report
    const setting = notPinned === undefined ? 'pinned' : 'free'
    const expected = figures.flatMap((figure) => clients.map((name) => [`${figure}, ${setting}`, name]))
    expect(rows.map(({ group, name }) => [group, name])).toEqual(expected)
    for (const row of rows) {
      expect(Number.isFinite(row.median) && row.median >= 0, JSON.stringify(row)).toBe(true)
      expect(row).toHaveProperty('ratio')
      expect(stdout).toContain(row.group)
    }
    for (const client of clients) expect(notes.some((note) => note.startsWith(`${client}: `))).toBe(true)
    expect(await readdir(directory)).toEqual(['report.json'])
  })

  test('bench:ethereum ends by the signal it gets, with its nodes, and leaves nothing behind', async () => {
    const directory = await temporaryDirectory()
    const program = start(directory, ['--only', 'node-trace', '--rounds', '1'])
    const finished = finish(program)
    // It says what it measures when its nodes have started.
    await once(program.stderr as NodeJS.ReadableStream, 'data')
    program.kill('SIGINT')
    expect((await finished).signal).toBe('SIGINT')
    expect(await readdir(directory)).toEqual([])
  })
})

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'bench-test-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

function start(directory: string, args: readonly string[]): ChildProcess {
  const program = spawn(process.execPath, ['--import', 'tsx', 'src/ethereum.ts', ...args], {
    cwd: bench,
    // The cache of tsx would lie in the same directory.
    env: { ...process.env, TMPDIR: directory, TSX_DISABLE_CACHE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void program.kill('SIGKILL'))
  return program
}

interface Finished {
  readonly status: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

/** Waits until the program and all that inherited its stderr, which its children do, have ended. */
async function finish(program: ChildProcess): Promise<Finished> {
  const output = { stdout: '', stderr: '' }
  program.stdout?.on('data', (text) => (output.stdout += String(text)))
  program.stderr?.on('data', (text) => (output.stderr += String(text)))
  const [status, signal] = (await once(program, 'close')) as [number | null, string | null]
  return { status, signal, ...output }
}
