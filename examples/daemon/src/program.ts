/**
 * A program of this example as a child that never stays behind.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface Program extends AsyncDisposable {
  readonly pid: number
  /** What it has written to stdout, line by line. */
  readonly lines: readonly string[]
  /** Resolves with its exit status, or the name of the signal that ended it. */
  readonly ended: Promise<number | string>
  /** The first line from the given one on that matches. Rejects when it ends without one. */
  line(pattern: RegExp, from?: number): Promise<string>
  /** Ends it and resolves when it has ended: by SIGKILL, as a crash would, where nothing else is said. Idempotent. */
  kill(signal?: NodeJS.Signals): Promise<void>
}

/** Starts a file of this folder. Its errors go to stderr, and its lines to `onLine` too. */
export function startProgram(
  file: `${string}.ts`,
  args: readonly string[],
  onLine: (line: string) => void = () => undefined,
): Program {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', path, ...args], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  const reader = createInterface(child.stdout).on('line', (line) => {
    lines.push(line)
    onLine(line)
  })
  const exited = new Promise<number | string>((resolve) => {
    child.once('exit', (status, signal) => resolve(signal ?? status ?? ''))
  })
  const ended = Promise.all([exited, once(reader, 'close')]).then(([end]) => end)
  const killNow = (): void => void child.kill('SIGKILL')
  process.once('exit', killNow)
  void ended.finally(() => process.off('exit', killNow))

  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    child.kill(signal)
    await ended
  }
  const line = async (pattern: RegExp, from = 0): Promise<string> => {
    for (;;) {
      const found = lines.slice(from).find((text) => pattern.test(text))
      if (found !== undefined) return found
      const end = await Promise.race([ended, once(reader, 'line')])
      if (!Array.isArray(end)) throw new Error(`${file} ended (${end}) and wrote no line like ${pattern.source}`)
    }
  }
  return { pid: child.pid ?? 0, lines, ended, line, kill, [Symbol.asyncDispose]: () => kill() }
}
