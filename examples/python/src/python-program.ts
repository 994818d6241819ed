/** A Python program of this folder, as a child that never stays behind. */

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface PythonProgram extends AsyncDisposable {
  /** Resolves with the first line that it prints. Rejects when it ends without one. */
  readonly firstLine: Promise<string>
  /** Resolves with all that it has printed when it has ended. Rejects when it failed. */
  readonly output: Promise<readonly string[]>
  /** Ends it and resolves when it has ended. Idempotent. */
  [Symbol.asyncDispose](): Promise<void>
}

/** Why no Python program can be started here, or undefined when one can. */
export function whyNoPython(): string | undefined {
  const isThere = spawnSync('python3', ['-c', 'import socketserver; socketserver.UnixStreamServer']).status === 0
  return isThere ? undefined : 'python3 is missing, or has no Unix sockets'
}

/** Starts a file of this folder. Its errors go to stderr. */
export function startPython(file: `${string}.py`, ...args: readonly string[]): PythonProgram {
  const path = fileURLToPath(new URL(file, import.meta.url))
  // -B: no __pycache__ beside the sources.
  const child = spawn('python3', ['-B', path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  const reader = createInterface(child.stdout).on('line', (line) => lines.push(line))
  const ended = Promise.all([once(child, 'exit'), once(reader, 'close')]).then(([[status, signal]]) => signal ?? status)
  const output = ended.then((end: unknown) => {
    if (end !== 0) throw new Error(`${file} ended with ${end}`)
    return lines
  })
  const firstLine = Promise.race([once(reader, 'line'), output]).then(() => {
    const [line] = lines
    if (line === undefined) throw new Error(`${file} has ended and printed nothing`)
    return line
  })
  // Who does not ask for one of them need not hear that it failed.
  for (const promise of [output, firstLine]) promise.catch(() => undefined)
  const killNow = (): void => void child.kill('SIGKILL')
  process.once('exit', killNow)
  const stop = async (): Promise<void> => {
    child.kill()
    await ended
    process.off('exit', killNow)
  }
  return { firstLine, output, [Symbol.asyncDispose]: stop }
}
