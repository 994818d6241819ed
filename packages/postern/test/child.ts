import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

/** A child that runs one of `programs/`, with what it printed. */
export interface Child {
  readonly process: ChildProcess
  /** What it wrote to stderr so far. */
  readonly stderr: () => string
  /** Resolves with its exit status, or the name of the signal that ended it. */
  readonly ended: Promise<number | string>
}

/** Starts a program and waits until it says that it is ready. It is killed when the test is over. */
export async function startProgram(name: string, ...args: readonly string[]): Promise<Child> {
  const path = fileURLToPath(new URL(`./programs/${name}.ts`, import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', path, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  const ended = once(child, 'exit').then(([status, signal]: (number | string | null)[]) => signal ?? status ?? -1)
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  await Promise.race([
    once(child.stdout, 'data'),
    ended.then((status) => {
      throw new Error(`${name} ended with ${status} before it was ready: ${stderr}`)
    }),
  ])
  return { process: child, stderr: () => stderr, ended }
}
