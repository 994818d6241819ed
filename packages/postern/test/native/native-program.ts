import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

/** A path within packages/native. */
export function nativePath(path: string): string {
  return fileURLToPath(new URL(`../../../native/${path}`, import.meta.url))
}

export const compiler = process.env['CC'] ?? 'cc'

/** Why what has to be compiled is skipped; undefined: it is not. */
export function whyNoCompiler(): string | undefined {
  return spawnSync(compiler, ['--version']).status === 0 ? undefined : `there is no C compiler (${compiler})`
}

/** Why what needs the addon is skipped; undefined: it is not. */
export function whyNoAddon(): string | undefined {
  return existsSync(nativePath('build/postern.node')) ? undefined : '@postern/native is not built'
}

/** What a program came to. */
export interface Finished {
  /** Its exit status, or the name of the signal that ended it. */
  readonly status: number | string
  /** Both its outputs, in the order in which they came. */
  readonly output: string
}

/** Runs a program to its end. It is killed when the test is over. */
export async function runToEnd(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  }
  const [status, signal] = (await once(child, 'close')) as (number | string | null)[]
  return { status: signal ?? status ?? -1, output }
}

/** What a sanitizer's report has in it. */
export const sanitizerReport = /runtime error|Sanitizer|DEADLYSIGNAL/
