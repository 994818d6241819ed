import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { findAnvil, startAnvil } from '../../examples/ethereum/src/anvil.ts'
import { connectIpcNode } from '../../examples/ethereum/src/ipc-node.ts'
import { countdown, create } from '../../examples/ethereum/src/sample-transactions.ts'
import { loadNodePeers } from '../src/node-peers/all-node-peers.ts'

const anvilPath = findAnvil()
if (anvilPath === undefined) {
  process.stderr.write(`skipped: @foundry-rs/anvil has no program for ${process.platform}-${process.arch} here\n`)
}

const bench = fileURLToPath(new URL('..', import.meta.url))

const libraries = ['viem, IPC', 'viem, HTTP', 'ethers, IPC', 'ethers, HTTP', 'web3, IPC', 'web3, HTTP']
const clients = ['thirty-line client, IPC', 'node:http, keep-alive', 'postern, IPC', ...libraries]

/** What is measured of each client, and whether ours is set beside the best library. */
const figures = [
  { figure: 'eth_blockNumber, p50', targeted: true },
  { figure: 'eth_blockNumber, 100 in flight', targeted: true },
  { figure: '2.4 MB trace, wall', targeted: true },
  { figure: '2.4 MB trace, CPU of the client', targeted: true },
  { figure: "2.4 MB trace, longest stall of the client's event loop", targeted: false },
  { figure: '2.4 MB trace, peak memory of the client', targeted: false },
]

/** Half a minute for some twenty processes, on a machine that may be very busy. */
const quickMs = 300_000

/** How long what was closed may take to be gone. */
const goneMs = 5_000

interface Report {
  readonly notPinned?: string
  readonly notes: readonly string[]
  readonly rows: readonly { group: string; name: string; median: number; ratio?: { median: number } }[]
}

describe.skipIf(anvilPath === undefined)('bench:ethereum, on anvils of its own', { timeout: quickMs }, () => {
  test('bench:ethereum --quick measures every row, and leaves nothing behind', async () => {
    const directory = await temporaryDirectory()
    const file = join(directory, 'report.json')
    const { stdout, stderr, status } = await finish(start(directory, ['--quick', '--json', file]))
    expect(status, stderr).toBe(0)
    const { rows, notes, notPinned } = JSON.parse(await readFile(file, 'utf8')) as Report
    const setting = notPinned === undefined ? 'pinned' : 'free'
    const expected = figures.flatMap(({ figure, targeted }) => [
      ...clients.map((name) => [`${figure}, ${setting}`, name]),
      ...(targeted
        ? ['the best', 'postern, IPC'].map((name) => [`${figure}, ${setting}, beside the best library`, name])
        : []),
    ])
    const bestAsSuch = (group: string, name: string): string =>
      group.endsWith('library') && libraries.includes(name) ? 'the best' : name
    expect(rows.map(({ group, name }) => [group, bestAsSuch(group, name)])).toEqual(expected)
    for (const row of rows) {
      expect(Number.isFinite(row.median) && row.median >= 0, JSON.stringify(row)).toBe(true)
      expect(row).toHaveProperty('ratio')
      expect(stdout).toContain(row.group)
    }
    for (const client of clients) expect(notes.some((note) => note.startsWith(`${client}: `))).toBe(true)
    expect(await readdir(directory)).toEqual(['report.json'])
  })

  test('every NodePeer gives the same answers, and leaves nothing open', async () => {
    await using anvil = await startAnvil()
    const hash = await mineCountdown(anvil.ipcAddress)
    const answers = new Map<string, string>()
    for (const [key, peer] of await loadNodePeers()) {
      const before = process.getActiveResourcesInfo()
      const client = await peer.connect(anvil)
      const blockNumber = await client.call('eth_blockNumber', [])
      const trace = await client.call('debug_traceTransaction', [hash, {}])
      await client.close()
      expect(trace, key).toHaveProperty('structLogs.length', countdownSteps)
      answers.set(key, JSON.stringify({ blockNumber, trace }))
      expect(await leftOpen(before), key).toEqual([])
    }
    expect(answers.size).toBe(clients.length)
    expect(new Set(answers.values()).size, 'all answers are the same').toBe(1)
  })

  test('a NodePeer says the error that a node answers', async () => {
    await using anvil = await startAnvil()
    for (const [key, peer] of await loadNodePeers()) {
      const client = await peer.connect(anvil)
      await expect(client.call('debug_traceTransaction', ['not a hash', {}]), key).rejects.toThrow()
      await client.close()
    }
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

const countdownLoops = 3_625
const countdownSteps = 7 * countdownLoops + 2

async function mineCountdown(ipcAddress: string): Promise<string> {
  await using node = await connectIpcNode(ipcAddress)
  return await create(node, countdown(countdownLoops))
}

/** What keeps the process alive and did not before, and is not gone in time. */
async function leftOpen(before: readonly string[]): Promise<string[]> {
  const end = performance.now() + goneMs
  for (;;) {
    // Not by a timer, which would be found itself.
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    const more = moreThan(before, process.getActiveResourcesInfo())
    if (more.length === 0 || performance.now() > end) return more
  }
}

function moreThan(before: readonly string[], now: readonly string[]): string[] {
  const known = [...before, 'Immediate']
  return now.filter((name) => {
    const index = known.indexOf(name)
    if (index >= 0) known.splice(index, 1)
    return index < 0
  })
}

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
  // By a signal that it obeys: its nodes would outlive it otherwise.
  onTestFinished(async () => {
    if (program.exitCode !== null || program.signalCode !== null) return
    program.kill()
    await once(program, 'close')
  })
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
