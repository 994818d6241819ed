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

const clients = ['thirty-line client', 'postern']
const tracings = ['a call, nobody listens', 'of that, asking whether anybody does', 'a call, somebody listens']
const decodings = ['JSON.parse alone', 'postern json.decode', 'postern json.decode, integers unchecked']
const loops = ['newline-JSON loop', 'newline-JSON loop, one write a tick', 'postern', 'postern, async handler']
const libraries = ['undici, HTTP', 'vscode-jsonrpc', '@achrinza/node-ipc', 'zeromq, DEALER and ROUTER', 'grpc-js']
const concurrent = [...loops, ...libraries]
const memoryKinds = ['resident', 'heap and external']
const servers = ['thirty-line server', 'postern']
const idle = (counts: readonly string[]): string[] => counts.map((count) => `${count} idle connections`)

/** The rows that a quick run must have in one setting, by the names of their groups. */
const groupsIn = (setting: string): [group: string, names: string[]][] => [
  [`small call, p50, ${setting}`, ['raw net echo', ...concurrent]],
  [`small call, p99, ${setting}`, ['raw net echo', ...concurrent]],
  [`64 calls in flight, ${setting}`, concurrent],
  [`1 MB answer, wall of the client, ${setting}`, clients],
  [`1 MB answer, CPU of the client, ${setting}`, clients],
  ...clients.flatMap((client) =>
    ['wall', 'CPU'].map((what): [string, string[]] => [
      `answer in 4 KB pieces, ${what} of the client, ${setting}, ${client}`,
      [`${client}, 0.5 MB`, `${client}, 1 MB`],
    ]),
  ),
  [`bytes in one read of postern, ${setting}`, ['answer in 64 KB pieces', 'answer in 4 KB pieces']],
  ...['wall', 'CPU'].map((what): [string, string[]] => [
    `1 MB answer of each peer's own server, ${what} of the client, ${setting}`,
    ['thirty-line client and server', 'postern', ...libraries],
  ]),
  [`1 MB call, wall of the client, ${setting}`, servers],
  [`1 MB call, CPU of the server, ${setting}`, servers],
  ...idle(['200', '500']).flatMap((connections) =>
    memoryKinds.map((kind): [string, string[]] => [
      `memory of the server for each of ${connections}, ${setting}, ${kind}`,
      servers,
    ]),
  ),
  ...servers.map((server): [string, string[]] => [
    `small call on a new connection to ${server}, p50, ${setting}`,
    idle(['no', '200', '500']),
  ]),
]

interface Report {
  readonly quick: boolean
  readonly notPinned?: string
  readonly machine: { readonly node: string; readonly cores: number }
  readonly notes: readonly string[]
  readonly rows: readonly {
    group: string
    name: string
    median: number
    min: number
    max: number
    ratio?: { median: number }
  }[]
}

test('bench:calls --quick measures every row, and leaves nothing behind', { timeout: allCasesMs }, async () => {
  const directory = await temporaryDirectory()
  const file = join(directory, 'report.json')
  const { stdout, status } = await finish(start(directory, ['--quick', '--json', file]))
  expect(status).toBe(0)
  const report = JSON.parse(await readFile(file, 'utf8')) as Report
  const setting = report.notPinned === undefined ? 'pinned' : 'free'
  const integers = ['1 MB', '100 bytes'].map((size): [string, string[]] => [
    `exact integers, decoding ${size}, ${setting}`,
    decodings,
  ])
  const beside = `small call, p50, ${setting}, beside the best library`
  const best = report.rows.find(({ group }) => group === beside)?.name ?? 'none'
  expect(libraries).toContain(best)
  const traced = [`tracing, both sides of a call inside one process, CPU, ${setting}`, tracings] as const
  const groups = [...groupsIn(setting), ...integers, traced, [beside, [best, 'postern']] as const]
  const expected = groups.flatMap(([group, names]) => names.map((name) => ({ group, name })))
  const byText = (a: { group: string; name: string }, b: { group: string; name: string }): number =>
    `${a.group} ${a.name}` < `${b.group} ${b.name}` ? -1 : 1
  expect(report.rows.map(({ group, name }) => ({ group, name })).sort(byText)).toEqual(expected.sort(byText))
  for (const row of report.rows) {
    // So few connections may fit the memory that a server has already.
    if (row.group.endsWith('resident')) continue
    const figures = [row.median, row.min, row.max, ...(row.ratio === undefined ? [] : [row.ratio.median])]
    expect(
      figures.every((value) => Number.isFinite(value) && value > 0),
      JSON.stringify(row),
    ).toBe(true)
  }
  for (const { group } of report.rows) expect(stdout).toContain(group)
  for (const peer of ['raw net echo', ...concurrent]) {
    expect(
      report.notes.some((note) => note.startsWith(`${peer}: `)),
      peer,
    ).toBe(true)
  }
  expect(report).toMatchObject({ quick: true, machine: { node: process.versions.node } })
  await expectNothingLeft(directory)
})

test('bench:calls ends by the signal it gets, with all its processes, and leaves nothing behind', {
  timeout: 60_000,
}, async () => {
  const directory = await temporaryDirectory()
  const program = start(directory, ['--only', 'small-calls', '--rounds', '1'])
  const finished = finish(program)
  // It says what it measures just before it starts the processes for it.
  await once(program.stderr as NodeJS.ReadableStream, 'data')
  program.kill('SIGINT')
  expect((await finished).signal).toBe('SIGINT')
  await expectNothingLeft(directory)
})

test('bench:calls says what it takes when told something else', { timeout: 60_000 }, async () => {
  const directory = await temporaryDirectory()
  const { status, stderr } = await finish(start(directory, ['--only', 'nonsense']))
  expect(status).toBe(2)
  expect(stderr).toContain('there is no case nonsense')
  expect(stderr).toContain('small-calls')
})

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'bench-test-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

function start(directory: string, args: readonly string[]): ChildProcess {
  const program = spawn(process.execPath, ['--import', 'tsx', 'src/calls.ts', ...args], {
    cwd: bench,
    env: { ...process.env, TMPDIR: directory },
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

async function expectNothingLeft(directory: string): Promise<void> {
  const left = (await readdir(directory)).filter((name) => name.startsWith('postern-bench-'))
  expect(left).toEqual([])
}
