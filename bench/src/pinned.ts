/**
 * Child processes, on one core or on any, that never outlive this process.
 *
 * Pinned, a client and its server share one core, which shows the length of the path; free, each may have its own,
 * and waking an idle core hides most of it.
 */

import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { buildChildPrograms, childProgram } from './child-programs.ts'

/** Where a child may run: on core 0 only, or wherever the system puts it. */
export type Setting = 'pinned' | 'free'

const pin = ['taskset', '-c', '0'] as const

/** How long a child that was told to stop may take. */
const stopMs = 3_000

let notPinned: string | false | undefined

/** Why nothing can be pinned on this machine; undefined when it can. */
export function whyNotPinned(): string | undefined {
  notPinned ??= tryPinning() ?? false
  return notPinned === false ? undefined : notPinned
}

function tryPinning(): string | undefined {
  const [taskset, ...args] = pin
  const { error, status, stderr } = spawnSync(taskset, [...args, process.execPath, '--version'], { encoding: 'utf8' })
  if (error !== undefined) return `taskset cannot be run (${error.message}); on Debian it is in the package util-linux`
  return status === 0 ? undefined : `taskset failed: ${stderr.trim()}`
}

/** The settings that this machine allows. */
export function possibleSettings(): Setting[] {
  return whyNotPinned() === undefined ? ['pinned', 'free'] : ['free']
}

/** A command line that runs a program in the setting. */
export function commandIn(setting: Setting, program: string, args: readonly string[]): readonly [string, ...string[]] {
  return setting === 'pinned' ? [...pin, program, ...args] : [program, ...args]
}

/** How a child runs. */
export interface ChildOptions {
  readonly setting: Setting
  /** For its first message; it is killed when that does not come. */
  readonly timeoutMs: number
  /** Options of Node, beside those of this process. */
  readonly nodeArgs?: readonly string[]
}

const children = new Set<Child>()

let programs = ''

/** Makes the programs of children in a directory; before the first is started. */
export async function prepareChildren(directory: string): Promise<void> {
  programs = directory
  await buildChildPrograms(directory)
}

/** Starts a TypeScript module of ours as a child, with `task` as JSON in its first argument. */
export function startChild(module: URL, task: unknown, options: ChildOptions): Child {
  return new Child(childProgram(programs, module), task, options)
}

/** A child process that says one thing: a server that it listens, a client its result. */
export class Child {
  /** What it says. Rejects when it ends or its time is over before it does. */
  readonly message: Promise<unknown>
  readonly #process: ChildProcess
  readonly #name: string
  /** Resolves with how it ended. */
  readonly #exited: Promise<string>

  constructor(path: string, task: unknown, { setting, timeoutMs, nodeArgs = [] }: ChildOptions) {
    const [execPath, ...execArgv] = commandIn(setting, process.execPath, nodeArgs)
    const argument = JSON.stringify(task)
    this.#name = `${path.replace(/^.*[\\/]/, '')} ${argument} (${setting})`
    // What it prints goes to stderr: stdout is for results.
    this.#process = fork(path, [argument], { execPath, execArgv, stdio: ['ignore', 2, 2, 'ipc'] })
    children.add(this)
    this.#exited = new Promise((resolve) => {
      this.#process.once('exit', (status, signal) => resolve(signal ?? `exit status ${status}`))
      this.#process.once('error', ({ message }) => resolve(message))
    })
    void this.#exited.then(() => children.delete(this))
    this.message = this.#firstMessage(timeoutMs)
    this.message.catch(() => undefined)
  }

  /** Ends it: by closing the channel to it, which it takes as its order to clean up, and by force when it does not. */
  async stop(): Promise<void> {
    if (this.#process.connected) this.#process.disconnect()
    const timer = setTimeout(() => this.kill(), stopMs)
    await this.#exited
    clearTimeout(timer)
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }

  async #firstMessage(timeoutMs: number): Promise<unknown> {
    const waiting = new AbortController()
    const timer = setTimeout(() => waiting.abort(), timeoutMs)
    try {
      const said = once(this.#process, 'message', { signal: waiting.signal }).then(([message]: unknown[]) => message)
      return await Promise.race([
        said,
        this.#exited.then((how) => this.#fail(`ended (${how}) before it said anything`)),
      ])
    } catch (error) {
      if (!waiting.signal.aborted) throw error
      this.kill()
      return this.#fail(`was not done within ${timeoutMs} ms`)
    } finally {
      clearTimeout(timer)
      waiting.abort()
    }
  }

  #fail(what: string): never {
    throw new Error(`${this.#name} ${what}`)
  }
}

/** Ends all children, in order where they obey. */
export async function stopChildren(): Promise<void> {
  await Promise.all([...children].map((child) => child.stop()))
}

/** Ends all children at once; for a process that is exiting. */
export function killChildren(): void {
  for (const child of children) child.kill()
}
