/**
 * Programs that this process starts and ends, with what they say on the side.
 *
 * ```
 * descriptor   over a socket                      over stdin and stdout
 * 0            nothing (the null device)          what we send
 * 1            on the side                        what it sends
 * 2            on the side                        on the side
 * 3            the conversation, both ways        -
 * ```
 *
 * Never Node's own channel (`'ipc'`): a child that sends it a descriptor of the wrong kind aborts its parent. Never a
 * shell.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { PosternError } from '../core/errors.ts'
import { fromNodeError, nodeErrorCode } from './node-error.ts'
import { OutputTail } from './output-tail.ts'
import { stopWithParent } from './parent-death.ts'

/** Tells a program which descriptor is the socket of its conversation. */
export const descriptorVariable = 'POSTERN_FD'

const socketDescriptor = 3

/** Windows hands no socket to a child, and knows neither process groups nor signals. */
const isPosix = process.platform !== 'win32'

/** What to start. */
export interface ProgramOptions {
  readonly argv: readonly [program: string, ...args: string[]]
  /** Names the program in errors. */
  readonly name: string
  readonly cwd?: string | undefined
  /** Variables put over those of this process; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** How the program talks. On Windows always by stdin and stdout. */
  readonly over: 'socket' | 'stdio'
  /** Time between the end of the conversation, SIGTERM and SIGKILL. */
  readonly graceMs: number
  /** Told of all that the program says on the side. */
  readonly onOutput?: ((text: string) => void) | undefined
}

/** How a program ended. */
export interface ProgramEnd {
  /** Its exit status; null: a signal ended it, or it could not be ended. */
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  /** The end of what it said on the side. */
  readonly stderr: string
}

/** Both directions of the conversation. */
export interface ProgramEnds {
  readonly input: Readable
  readonly output: Writable
}

/** After the exit: how long what it said last may take to arrive, where a process that it left behind keeps the pipe open. */
const lastWordsMs = 200

/** How often a group is looked at whose program has gone. */
const groupPollMs = 50

/**
 * Starts a program. Rejects with `bad_address` when there is no such program or directory, `permission_denied` when it
 * may not be executed, `busy` when the system has no room for a process.
 */
export function startProgram(options: ProgramOptions): Promise<Program> {
  return new Promise((resolve, reject) => {
    const { argv, cwd, env, over } = options
    const socket = over === 'socket' && isPosix
    const [file, ...args] = argv
    let child: ChildProcess
    try {
      child = spawn(file, args, {
        cwd,
        env: { ...process.env, ...env, [descriptorVariable]: socket ? String(socketDescriptor) : undefined },
        stdio: socket ? ['ignore', 'pipe', 'pipe', 'pipe'] : ['pipe', 'pipe', 'pipe'],
        // A group of its own: Ctrl-C at a terminal is for this process alone, which then ends its programs in order.
        detached: isPosix,
        windowsHide: true,
      })
    } catch (error) {
      reject(cannotStart(error, options))
      return
    }
    child.on('error', (error) => reject(cannotStart(error, options)))
    // In this turn, so that nothing of what it says at once is missed.
    if (child.pid !== undefined) resolve(new Program(child, socket, options))
  })
}

function cannotStart(error: unknown, { argv, name, cwd }: ProgramOptions): PosternError {
  const [file] = argv
  const code = nodeErrorCode(error)
  const cause = { cause: error }
  if (cwd !== undefined && !existsSync(cwd))
    return new PosternError(
      'bad_address',
      `cannot start ${name}: its directory ${cwd} does not exist; correct cwd`,
      cause,
    )
  if (code === 'ENOENT') {
    const where = file.includes('/') ? 'nothing is at that path' : 'no directory of PATH has such a program'
    return new PosternError('bad_address', `cannot start ${name}: ${where}; install it or correct its name`, cause)
  }
  if (code === 'EACCES' || code === 'EPERM') {
    const sentence = `may not start ${name}: this user may not execute it; set its executable bit (chmod +x), or start what runs it, such as node`
    return new PosternError('permission_denied', sentence, cause)
  }
  if (code === 'EAGAIN')
    return new PosternError(
      'busy',
      `cannot start ${name}: no further process is allowed; end some or raise ulimit -u`,
      cause,
    )
  if (code === 'E2BIG')
    return new PosternError(
      'bad_address',
      `cannot start ${name}: arguments and environment are too long; pass less`,
      cause,
    )
  return fromNodeError(error, 'start', name)
}

/** A program that runs, until it has ended. */
export class Program {
  readonly ends: ProgramEnds
  readonly pid: number
  /** Resolves when the program has gone, and what it said has come. Never rejects. */
  readonly ended: Promise<ProgramEnd>
  readonly #child: ChildProcess
  readonly #options: ProgramOptions
  readonly #tail = new OutputTail()
  readonly #unwatch: () => void
  #gone = false
  #stopTimer: NodeJS.Timeout | undefined
  #giveUp: () => void = () => undefined

  /** The child must have been spawned in this turn. */
  constructor(child: ChildProcess, socket: boolean, options: ProgramOptions) {
    this.#child = child
    this.#options = options
    this.pid = child.pid as number
    this.ends = endsOf(child, socket)
    const side = (socket ? [child.stdout, child.stderr] : [child.stderr]).filter((stream) => stream !== null)
    for (const stream of side) this.#listen(stream)
    this.#unwatch = isPosix ? stopWithParent(this.pid, options.graceMs) : () => undefined
    this.ended = this.#watch(side)
  }

  /**
   * Ends the program, once its conversation has been ended: SIGTERM after `graceMs`, SIGKILL after as much again, to it
   * and to what it started. Idempotent.
   */
  stop(): void {
    if (this.#stopTimer !== undefined || this.#gone) return
    const steps: (() => unknown)[] = [
      () => this.#signal('SIGTERM'),
      () => this.#signal('SIGKILL'),
      () => this.#giveUp(),
    ]
    const next = (): void => {
      steps.shift()?.()
      if (steps.length > 0) this.#stopTimer = setTimeout(next, this.#options.graceMs)
    }
    this.#stopTimer = setTimeout(next, this.#options.graceMs)
  }

  #listen(stream: Readable): void {
    const decoder = new StringDecoder('utf8')
    const { onOutput } = this.#options
    stream.on('error', () => undefined)
    stream.on('data', (chunk: Buffer) => {
      this.#tail.push(chunk)
      onOutput?.(decoder.write(chunk))
    })
  }

  async #watch(side: readonly Readable[]): Promise<ProgramEnd> {
    const [exitCode, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
      this.#child.once('exit', (status, name) => resolve([status, name]))
      this.#giveUp = () => resolve([null, null])
    })
    this.#gone = true
    clearTimeout(this.#stopTimer)
    this.#endGroup()
    await ended(side, lastWordsMs)
    for (const stream of side) stream.destroy()
    return { exitCode, signal, stderr: this.#tail.text() }
  }

  /** Whom the program started and left behind goes with it. This process waits for none of them; the watchdog does. */
  #endGroup(): void {
    this.#signal('SIGTERM')
    let waits = Math.ceil(this.#options.graceMs / groupPollMs)
    const look = (): void => {
      const left = this.#signal(0)
      if (left && waits-- > 0) {
        setTimeout(look, groupPollMs).unref()
        return
      }
      if (left) this.#signal('SIGKILL')
      this.#unwatch()
    }
    look()
  }

  /** To the whole group, 0 to see whether it is there; false: nobody is left, or nobody whom we may signal. */
  #signal(signal: NodeJS.Signals | 0): boolean {
    if (!isPosix) return this.#child.kill(signal)
    try {
      return process.kill(-this.pid, signal)
    } catch {
      return false
    }
  }
}

function endsOf(child: ChildProcess, socket: boolean): ProgramEnds {
  if (socket) {
    const conversation = child.stdio[socketDescriptor] as Socket
    conversation.allowHalfOpen = true
    return { input: conversation, output: conversation }
  }
  return { input: child.stdout as Readable, output: child.stdin as Writable }
}

/** Resolves when all of them have ended, or after `boundMs`. */
function ended(streams: readonly Readable[], boundMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, boundMs)
    let open = streams.length
    const one = (): void => {
      if (--open > 0) return
      clearTimeout(timer)
      resolve()
    }
    for (const stream of streams) {
      if (stream.readableEnded || stream.destroyed) one()
      else stream.once('close', one)
    }
  })
}
