import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { root } from '../docs/pages.ts'

let why: string | undefined | null = null

/** Why there is no Python to test with, or undefined when there is. */
export function whyNoPython(): string | undefined {
  if (why === null) {
    const { status } = spawnSync('python3', ['-c', 'import struct, sys; sys.exit(struct.calcsize("P") != 8)'])
    why = status === 0 ? undefined : 'python3 of 64 bits is missing'
  }
  return why
}

/** The path of a Python program in this folder. */
export function pythonProgram(name: `${string}.py`): string {
  return fileURLToPath(new URL(name, import.meta.url))
}

/** A Python program that was started. */
export interface StartedPython {
  readonly process: ChildProcess
  /** Resolves when it has printed something. Rejects when it ends before. */
  readonly ready: Promise<unknown>
  /** Resolves with the lines that it has printed, when it has ended. Rejects when it failed, with its stderr. */
  readonly lines: Promise<string[]>
}

/** Starts a program of this folder, which may import those of the example. It is killed when the test is over. */
export function startPython(name: `${string}.py`, ...args: readonly string[]): StartedPython {
  const env = { ...process.env, PYTHONPATH: `${root}examples/python/src`, PYTHONDONTWRITEBYTECODE: '1' }
  const child = spawn('python3', [pythonProgram(name), ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const closed = once(child, 'close')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await closed
  })
  const lines = closed.then(([status, signal]: unknown[]) => {
    if (status !== 0) throw new Error(`${name} ended with ${String(signal ?? status)}: ${stderr}`)
    return stdout.trimEnd().split('\n')
  })
  const ready = Promise.race([once(child.stdout, 'data'), lines])
  // A server is killed, and nobody waits for the lines of one.
  for (const promise of [lines, ready]) promise.catch(() => undefined)
  return { process: child, ready, lines }
}
