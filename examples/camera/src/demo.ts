/** The whole show: a camera and a viewer, each a process of its own. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Starts a program of this folder; its errors go to stderr. It ends with this process, however that ends. */
function start(file: string, ...args: readonly string[]): ChildProcess {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  return child
}

/** The first line that a program prints. */
async function firstLineOf(child: ChildProcess): Promise<string> {
  const ended = once(child, 'exit').then(([status]) => {
    throw new Error(`${child.spawnargs.at(3)} ended with ${status} and printed nothing`)
  })
  const lines = once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), 'line')
  const [line] = (await Promise.race([lines, ended])) as [string]
  return line
}

/** Runs in a directory of its own, and leaves nothing behind. */
export async function runDemo(say: (line: string) => void, frames: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-camera-'))
  const remove = (): void => rmSync(directory, { recursive: true, force: true })
  process.once('exit', remove)
  const address = `shm:${join(directory, 'camera.sock')}`
  const camera = start('camera.ts', address)
  try {
    await firstLineOf(camera)
    say(await firstLineOf(start('viewer.ts', address, String(frames))))
  } finally {
    camera.kill()
    if (camera.exitCode === null && camera.signalCode === null) await once(camera, 'exit')
    process.off('exit', remove)
    remove()
  }
}
