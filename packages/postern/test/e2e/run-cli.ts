import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

/** The program as it is published; `npm test` builds it. */
export const cliPath: string = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

/** What the program runs in. */
export interface CliSurroundings {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** What stdin holds; nothing when absent. */
  readonly input?: string | Uint8Array
}

/** How a run of the program ended, and what it wrote. */
export interface CliResult {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** stdout to the byte. */
  readonly bytes: Buffer
}

/** A run under way. */
export interface RunningCli {
  readonly child: ChildProcessWithoutNullStreams
  readonly result: Promise<CliResult>
  /** Resolves when stdout or stderr has held the text, which it may have done already. */
  readonly written: (text: string) => Promise<void>
}

/** Starts the program; it is killed when the test is over. */
export function startCli(args: readonly string[], surroundings: CliSurroundings = {}): RunningCli {
  if (!existsSync(cliPath)) throw new Error(`${cliPath} is not built: run node scripts/setup.mjs`)
  return start([process.execPath, cliPath, ...args], surroundings)
}

export async function runCli(args: readonly string[], surroundings: CliSurroundings = {}): Promise<CliResult> {
  return await startCli(args, surroundings).result
}

/** Runs a shell script in which `"$@"` is the program with these arguments. */
export async function runShell(
  script: string,
  args: readonly string[],
  surroundings: CliSurroundings = {},
): Promise<CliResult> {
  return await start(['sh', '-c', script, 'sh', process.execPath, cliPath, ...args], surroundings).result
}

const ptyProgram = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])) % 256)'

let python: boolean | undefined

/** Why there is no terminal to run the program in, or undefined when there is. */
export function whyNoTerminal(): string | undefined {
  python ??= spawnSync('python3', ['-c', 'import os, pty; os.waitstatus_to_exitcode']).status === 0
  return python ? undefined : 'python3 (3.9 or newer), which makes the terminal, is missing'
}

/** Starts the program with a terminal for all of its streams: stdout is then what the terminal was sent. */
export function startInTerminal(args: readonly string[], { env, ...rest }: CliSurroundings = {}): RunningCli {
  return start(['python3', '-c', ptyProgram, process.execPath, cliPath, ...args], {
    ...rest,
    env: { TERM: 'xterm', ...env },
  })
}

function start([command = '', ...args]: readonly string[], { cwd, env = {}, input }: CliSurroundings): RunningCli {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(command, args, { cwd, env: { PATH, HOME, ...env }, stdio: 'pipe' })
  onTestFinished(() => void child.kill('SIGKILL'))
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const chunks: Buffer[] = []
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk
  })
  const result = once(child, 'close').then(([status, signal]): CliResult => {
    const bytes = Buffer.concat(chunks)
    return {
      status: status as CliResult['status'],
      signal: signal as CliResult['signal'],
      stdout: bytes.toString(),
      stderr,
      bytes,
    }
  })
  const written = async (text: string): Promise<void> => {
    const holds = (): boolean => stderr.includes(text) || Buffer.concat(chunks).includes(text)
    while (!holds()) {
      const ended = await Promise.race([result, once(child.stdout, 'data'), once(child.stderr, 'data')])
      if ('status' in ended && !holds())
        throw new Error(`${JSON.stringify(text)} was not written; ${JSON.stringify(ended)}`)
    }
  }
  return { child, result, written }
}
