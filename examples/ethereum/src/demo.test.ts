import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { findAnvil, startAnvil } from './anvil.ts'
import { type DemoOptions, runDemo } from './demo.ts'

const anvilPath = findAnvil()
if (anvilPath === undefined) {
  process.stderr.write(`skipped: @foundry-rs/anvil has no program for ${process.platform}-${process.arch} here\n`)
}

/** Enough of everything to see whether it is right. */
const small = { blocks: 2, loops: 3_625, rounds: 1 } as const

let directory = ''
let oldTmpdir: string | undefined

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'postern-example-'))
  oldTmpdir = process.env['TMPDIR']
  process.env['TMPDIR'] = directory
})

afterEach(() => {
  if (oldTmpdir === undefined) delete process.env['TMPDIR']
  else process.env['TMPDIR'] = oldTmpdir
  rmSync(directory, { recursive: true, force: true })
})

function output(): DemoOptions['output'] & { text(): string } {
  let all = ''
  return { write: (text) => (all += text), text: () => all }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe.skipIf(anvilPath === undefined)('the example, on an anvil of its own', () => {
  test('runDemo does both tasks over both transports, and says the same over both', async () => {
    const out = output()
    const { logs, traces } = await runDemo({ ...small, output: out })
    expect(logs.map(({ transport, lines }) => [transport, lines.length])).toEqual([
      ['IPC', 8],
      ['HTTP', 8],
    ])
    for (const { lines, seenMs, fetchMs } of logs) {
      expect(lines[0]).toMatch(
        /^block \d+ {2}0x\w{4}…\w{4} {2}0x\w{4}…\w{4} -> 0x\w{4}…\w{4} {2}0\.1 ETH {2}21,000 gas$/,
      )
      expect(lines.filter((line) => line.endsWith('new contract'))).toHaveLength(2)
      expect(lines.filter((line) => line.endsWith('FAILED'))).toHaveLength(2)
      expect([seenMs.length, fetchMs.length]).toEqual([2, 2])
    }
    expect(traces.answerBytes).toBe(2_364_950)
    expect(traces.countdown).toEqual({ steps: 25_377, failed: false, peakBytes: 0 })
    expect(traces.filler).toEqual({ steps: 4, failed: false, peakBytes: 65_536 })
    expect(out.text()).toContain('2,364,950 bytes: 2,364,915 of result, the same over both')
    expect(out.text()).toMatch(/^trace received +\d.* x$/m)
  })

  test('runDemo leaves neither its node nor a file behind', async () => {
    const { pid, directory: nodeDirectory } = await runDemo({ ...small, output: output() })
    expect(nodeDirectory.startsWith(directory)).toBe(true)
    expect(readdirSync(directory)).toEqual([])
    expect(isAlive(pid)).toBe(false)
  })

  test('runDemo leaves nothing behind when it fails', async () => {
    const broken: DemoOptions['output'] = {
      write: (text) => {
        if (text.includes('Memory tracer')) throw new Error('the disk is full')
      },
    }
    await expect(runDemo({ ...small, output: broken })).rejects.toThrow('the disk is full')
    expect(readdirSync(directory)).toEqual([])
  })

  test.each([1, 2])('the program tidies up and ends with status 130 after Ctrl-C, pressed %d times', async (times) => {
    const main = fileURLToPath(new URL('main.ts', import.meta.url))
    const child = spawn(process.execPath, ['--import', 'tsx', main], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Its cache would lie in the same directory.
      env: { ...process.env, TSX_DISABLE_CACHE: '1' },
    })
    let stdout = ''
    let sent = false
    const status = await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
      child.stdout.on('data', (chunk: Buffer) => {
        stdout += chunk.toString()
        if (sent || !stdout.includes('block 1')) return
        sent = true
        for (let time = 0; time < times; time++) child.kill('SIGINT')
      })
    })
    expect(status).toBe(130)
    const [, pid] = /process (\d+)/.exec(stdout) ?? []
    // A node that was killed in the last moment may outlive its parent by the time the system needs to bury it.
    await vi.waitFor(() => expect(isAlive(Number(pid))).toBe(false), { timeout: 5_000 })
    expect(readdirSync(directory)).toEqual([])
  })
})

describe('startAnvil', () => {
  test('startAnvil says what the program said when it ends instead of listening', async () => {
    await expect(startAnvil({ binary: process.execPath })).rejects.toThrow(/^anvil ended \(status 9\).*bad option/)
    expect(readdirSync(directory)).toEqual([])
  })

  test('startAnvil says that there is no such program', async () => {
    await expect(startAnvil({ binary: join(directory, 'none') })).rejects.toThrow('ENOENT')
    expect(readdirSync(directory)).toEqual([])
  })
})
