import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { link, rename } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { listenPlainly } from './dead-socket.ts'
import { until } from '../src/testing/until.ts'

const program = fileURLToPath(new URL('programs/activated-server.ts', import.meta.url))

/** How a service is started. */
export interface Activation {
  /** The names it listens at; `-` is none. */
  readonly names: readonly string[]
  /** `LISTEN_FDNAMES`. */
  readonly fdNames?: string
  /** `LISTEN_PID`, a word of the shell; the service's own where absent. */
  readonly pid?: string
  readonly maxConnections?: number
}

/** What the service prints. */
export type Line = Readonly<Record<string, unknown>>

/**
 * Holds descriptors and starts services on them, as systemd does: a shell, since Node would accept connections itself.
 * One service runs at a time.
 */
export class SocketManager {
  readonly #shell: ChildProcess
  readonly #count: number
  readonly #lines: Line[] = []

  constructor(descriptors: readonly number[]) {
    this.#count = descriptors.length
    const loop = 'while read -r line; do eval "$line"; done'
    const env = { ...process.env, NODE: process.execPath, PROGRAM: program }
    this.#shell = spawn('sh', ['-c', loop], { stdio: ['pipe', 'pipe', 'inherit', ...descriptors], env, detached: true })
    const { stdout, pid } = this.#shell
    if (stdout === null || pid === undefined) throw new Error('the shell did not start')
    const ended = once(this.#shell, 'exit')
    onTestFinished(async () => {
      // The shell and the service that it runs.
      process.kill(-pid, 'SIGKILL')
      await ended
    })
    createInterface({ input: stdout }).on('line', (line) => this.#lines.push(JSON.parse(line) as Line))
  }

  /** Starts a service; resolves with what it prints of each of its names. */
  async start({ names, fdNames, pid = '$$', maxConnections = 10 }: Activation): Promise<Line[]> {
    const variables = [`LISTEN_PID=${pid}`, `LISTEN_FDS=${this.#count}`]
    if (fdNames !== undefined) variables.push(`LISTEN_FDNAMES=${fdNames}`)
    const run = `export ${variables.join(' ')}; exec "$NODE" --import tsx "$PROGRAM" ${maxConnections} ${names.join(' ')}`
    this.#shell.stdin?.write(`sh -c '${run}'\n`)
    return await this.#read(names.length)
  }

  /** Has the service close and end. */
  async stop(): Promise<void> {
    this.#shell.stdin?.write('close\n')
    await this.next('closed')
  }

  /** The next line of the service that has this member. */
  async next(member: string): Promise<Line> {
    for (;;) {
      const [line] = await this.#read(1)
      if (line !== undefined && member in line) return line
    }
  }

  async #read(count: number): Promise<Line[]> {
    await until(() => this.#lines.length >= count)
    return this.#lines.splice(0, count)
  }
}

/** Listening sockets with these paths, held by a manager alone. */
export async function holdSockets(...paths: readonly string[]): Promise<SocketManager> {
  const servers = await Promise.all(paths.map((path) => listenPlainly(path)))
  const manager = new SocketManager(servers.map(descriptorOf))
  for (const [index, path] of paths.entries()) {
    await link(path, `${path}~`)
    // Closing unlinks the name that was bound.
    await new Promise((resolve) => servers[index]?.close(resolve))
    await rename(`${path}~`, path)
  }
  return manager
}

/** The descriptor of a server or socket of Node, which has no public name. */
export function descriptorOf(handle: object): number {
  return (handle as { readonly _handle: { readonly fd: number } })._handle.fd
}
