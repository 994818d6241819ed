import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, test, vi } from 'vitest'
import { runDemo } from './demo.ts'
import { verdictOf } from './verdict.ts'

/** Far more than it takes: it starts five programs, on a machine that may be busy. */
const timeout = 120_000

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function pidsIn(text: string): number[] {
  return [...text.matchAll(/(?:process |anna \(|ben \()(\d+)/g)].map(([, pid]) => Number(pid))
}

function directoryIn(text: string): string {
  return /files are in (\S+)/.exec(text)?.[1] ?? ''
}

describe('the example', { timeout }, () => {
  test('runDemo has every job done, says which were repeated, and leaves nothing behind', async () => {
    const said: string[] = []
    const result = await runDemo({ say: (line) => said.push(line), signal: new AbortController().signal })
    const { lines, faults } = verdictOf(result)
    expect(faults).toEqual([])
    expect(lines[0]).toBe('16 submits were acknowledged, 16 jobs are in the queue, all done.')
    expect(said.join('\n')).toContain('the daemon is back')
    expect(existsSync(result.directory)).toBe(false)
    expect(result.pids).toHaveLength(4)
    expect(result.pids.filter(isAlive)).toEqual([])
  })

  test('runDemo leaves nothing behind when it fails', async () => {
    const said: string[] = []
    const say = (line: string): void => {
      said.push(line)
      if (line.startsWith('the daemon was killed')) throw new Error('nobody listens')
    }
    await expect(runDemo({ say, signal: new AbortController().signal })).rejects.toThrow('nobody listens')
    const text = said.join('\n')
    expect(pidsIn(text).filter(isAlive)).toEqual([])
    expect(existsSync(directoryIn(text))).toBe(false)
  })

  test.each([1, 2])('the program tidies up and ends with status 130 after Ctrl-C, pressed %d times', async (times) => {
    const main = fileURLToPath(new URL('main.ts', import.meta.url))
    const child = spawn(process.execPath, ['--import', 'tsx', main], { stdio: ['ignore', 'pipe', 'ignore'] })
    const lines: string[] = []
    createInterface(child.stdout).on('line', (line) => {
      lines.push(line)
      if (!/begun/.test(line)) return
      for (let time = 0; time < times; time++) child.kill('SIGINT')
    })
    expect(await once(child, 'close')).toEqual([130, null])
    const text = lines.join('\n')
    const pids = pidsIn(text)
    expect(pids).toHaveLength(3)
    // A child that was killed in the last moment may outlive its parent by the time the system needs to bury it.
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), { timeout: 10_000 })
    expect(existsSync(directoryIn(text))).toBe(false)
  })
})

describe('verdictOf', () => {
  const base = { payload: null, worker: 'anna', result: null, error: null, name: 'sleep' }
  const change = { id: 1, attempt: 1, worker: 'anna', atMs: 0 }
  const fine = {
    submitted: [1],
    jobs: [{ ...base, id: 1, state: 'done', attempt: 1 }],
    begun: [1],
    changes: [
      [
        { ...change, seq: 1, state: 'queued' },
        { ...change, seq: 2, state: 'running' },
        { ...change, seq: 3, state: 'done' },
      ],
    ],
  } as const

  test('finds no fault where all is well, and each that there may be', () => {
    const [job] = fine.jobs
    const [changes] = fine.changes
    expect(verdictOf(fine).faults).toEqual([])
    expect(verdictOf({ ...fine, submitted: [1, 2] }).faults).toEqual(['job 2 was acknowledged and is lost'])
    expect(verdictOf({ ...fine, jobs: [job, { ...job, id: 2 }] }).faults).toEqual(['a submit was applied twice'])
    expect(verdictOf({ ...fine, jobs: [{ ...job, state: 'failed' }] }).faults).toEqual(['job 1 is failed'])
    expect(verdictOf({ ...fine, begun: [1, 1] }).faults).toEqual(['job 1 was begun 2 times and says 1'])
    expect(verdictOf({ ...fine, changes: [[changes[0], changes[2]]] }).faults).toEqual([
      'following job 1 was not exact',
    ])
  })
})
