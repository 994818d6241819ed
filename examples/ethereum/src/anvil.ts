/**
 * An anvil of our own: started in a fresh private directory, and gone without a trace when it is stopped.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { connect } from 'postern'
import { z } from 'zod'

/** A node that runs as a child of this process. */
export interface Anvil extends AsyncDisposable {
  readonly pid: number
  /** Private to this user; everything in it goes when the node is stopped. */
  readonly directory: string
  /** Path of its IPC socket. */
  readonly ipcPath: string
  /** The same socket as an address. */
  readonly ipcAddress: string
  readonly httpUrl: string
  /** Ends the node and removes its directory. Idempotent. */
  stop(): Promise<void>
}

/** How to start it, where that is not the usual way. */
export interface AnvilOptions {
  /** Stops the node when it aborts. */
  readonly signal?: AbortSignal | undefined
  /** Path of the program. Default: the one that npm installed. */
  readonly binary?: string | undefined
  /** Where its own directory is made. Default: the system's directory for temporary files. */
  readonly parentDirectory?: string
  /** Path of its IPC socket. Default: in its own directory. */
  readonly ipcPath?: string | undefined
  /** Makes the command line of the program and its arguments, such as one that pins it to a core. */
  readonly command?: (program: string, args: readonly string[]) => readonly [string, ...string[]]
}

/** Far more than it takes; a machine under load must not fail. */
const startMs = 20_000

/** Anvil ends within milliseconds of being asked. */
const stopMs = 3_000

/** Path of the anvil that npm installed for this platform, or undefined where there is none. */
export function findAnvil(): string | undefined {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  try {
    const anvil = createRequire(import.meta.url).resolve('@foundry-rs/anvil/package.json')
    const manifest = createRequire(anvil).resolve(`@foundry-rs/anvil-${process.platform}-${architecture}/package.json`)
    const { bin } = z.object({ bin: z.object({ anvil: z.string() }) }).parse(JSON.parse(readFileSync(manifest, 'utf8')))
    return join(dirname(manifest), bin.anvil)
  } catch {
    return undefined
  }
}

/** Starts anvil, mining only when asked to, and resolves when it listens. */
export async function startAnvil(options: AnvilOptions = {}): Promise<Anvil> {
  const {
    signal,
    binary = findAnvil(),
    parentDirectory = tmpdir(),
    command = (program, args) => [program, ...args],
  } = options
  if (binary === undefined) {
    throw new Error(`@foundry-rs/anvil has no program for ${process.platform}-${process.arch}, or npm left it out`)
  }
  signal?.throwIfAborted()
  const directory = await mkdtemp(join(parentDirectory, 'postern-anvil-'))
  const ipcPath = options.ipcPath ?? join(directory, 'anvil.ipc')
  const [program, ...args] = command(binary, ['--ipc', ipcPath, '--port', '0', '--no-mining', '--steps-tracing'])
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const stop = stopper(child, directory, signal)
  try {
    const ipcAddress = `unix:${ipcPath}`
    const httpUrl = `http://${await listening(child)}`
    await silence(ipcAddress)
    return { pid: child.pid ?? 0, directory, ipcPath, ipcAddress, httpUrl, stop, [Symbol.asyncDispose]: stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Makes the function that ends it all, and sees to it that no way out of this process leaves the node behind. */
function stopper(child: ChildProcess, directory: string, signal: AbortSignal | undefined): () => Promise<void> {
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  const kill = (): void => {
    child.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
  const stop = async (): Promise<void> => {
    child.kill()
    const timer = setTimeout(() => child.kill('SIGKILL'), stopMs)
    await ended
    clearTimeout(timer)
    process.off('exit', kill)
    signal?.removeEventListener('abort', stopNow)
    rmSync(directory, { recursive: true, force: true })
  }
  const stopNow = (): void => void stop()
  process.once('exit', kill)
  signal?.addEventListener('abort', stopNow, { once: true })
  if (signal?.aborted === true) stopNow()
  return stop
}

/** Waits for the line that names the port, which anvil prints once both of its doors are open. */
async function listening(child: ChildProcess): Promise<string> {
  let output = ''
  const address = new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString()
      const [, found] = /^Listening on (\S+)$/m.exec(output) ?? []
      if (found !== undefined) resolve(found)
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('error', reject)
    child.once('close', (status, signal) => {
      reject(new Error(`anvil ended (${signal ?? `status ${status}`}) before it listened: ${output.trim()}`))
    })
  })
  const timeout = AbortSignal.timeout(startMs)
  const late = once(timeout, 'abort').then(() => {
    throw new Error(`anvil did not listen within ${startMs} ms: ${output.trim()}`)
  })
  const found = await Promise.race([address, late])
  child.stdout?.removeAllListeners('data').resume()
  child.stderr?.removeAllListeners('data').resume()
  return found
}

/** Stops its log of every call. `--silent` would do that too, but says no word of the port either. */
async function silence(ipcAddress: string): Promise<void> {
  await using connection = await connect(ipcAddress)
  await connection.call('anvil_setLoggingEnabled', [false])
}
