/** Services that are started to be talked to: `{ spawn: ['node', 'service.js'] }`, or `spawn:program`. */

import { type Address, type AddressParameters, conversationValues } from '../core/address.ts'
import { escapeText } from '../core/escape.ts'
import { PosternError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'
import type { Stream } from '../core/stream.ts'
import { checkOptions } from '../service/options.ts'
import { connectSpawnedProgram, exitError, type SpawnedStream } from '../transports/spawned-program.ts'
import { logError } from './error-log.ts'

/**
 * A program to start and talk to.
 *
 * @example
 * ```ts
 * const connection = await connect({ spawn: ['node', 'service.js'] }, node)
 * ```
 */
export interface SpawnAddress extends Pick<AddressParameters, 'codec' | 'framing'> {
  /** The program, looked for in PATH where it is no path, and its arguments, which no shell sees. */
  readonly spawn: readonly [program: string, ...args: string[]]
  /** Where it runs. Default: where this process does. */
  readonly cwd?: string
  /** Variables put over those of this process; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /**
   * How it talks: over a socket that it inherits, which leaves its stdout free, or over stdin and stdout, as language
   * servers and MCP servers do. Default `socket`.
   */
  readonly over?: 'socket' | 'stdio'
  /** Time, in milliseconds, from the end of the conversation to SIGTERM, and from there to SIGKILL. Default 2,000. */
  readonly graceMs?: number
  /** Told of what it writes to stderr, and over a socket to stdout. Default: its end is kept for errors. */
  readonly onStderr?: (text: string) => void
}

const members = ['spawn', 'cwd', 'env', 'over', 'graceMs', 'onStderr', 'codec', 'framing']

/** Enough to write a cache to the disk; a person who waits for it does not mind. */
const defaultGraceMs = 2_000
const maxGraceMs = 600_000

/** Throws `TypeError` for what is no program to start, naming what is wrong. */
export function checkSpawnAddress(value: unknown): SpawnAddress {
  checkOptions('an address with spawn', value, members)
  const { spawn, cwd, env, graceMs, onStderr } = value as Record<string, unknown>
  if (!Array.isArray(spawn) || spawn.length === 0 || spawn[0] === '' || !spawn.every(isText))
    throw new TypeError('spawn is a program and its arguments, all of them strings: { spawn: ["node", "service.js"] }')
  if (cwd !== undefined && (!isText(cwd) || cwd === ''))
    throw new TypeError(`cwd is the path of a directory, not ${JSON.stringify(cwd)}`)
  if (env !== undefined) checkEnvironment(env)
  if (graceMs !== undefined && !isWholeNumber(graceMs, maxGraceMs))
    throw new TypeError(`graceMs must be a whole number from 0 to ${maxGraceMs}, not ${JSON.stringify(graceMs)}`)
  checkChoices(value as Record<string, unknown>)
  if (onStderr !== undefined && typeof onStderr !== 'function')
    throw new TypeError('onStderr is a function that takes text')
  return value as SpawnAddress
}

const choices = { over: ['socket', 'stdio'], ...conversationValues }

function checkChoices(address: Record<string, unknown>): void {
  for (const [name, allowed] of Object.entries(choices)) {
    const value = address[name]
    if (value !== undefined && !allowed.some((one) => one === value))
      throw new TypeError(`${name} is one of ${allowed.join(', ')}, not ${JSON.stringify(value)}`)
  }
}

function checkEnvironment(env: unknown): void {
  if (typeof env !== 'object' || env === null) throw new TypeError('env is an object: { NAME: "value" }')
  for (const [name, value] of Object.entries(env)) {
    if (name === '' || name.includes('=') || !isText(name))
      throw new TypeError(`env: ${JSON.stringify(name)} cannot be the name of a variable`)
    if (value !== undefined && !isText(value))
      throw new TypeError(`env.${name} is a string, or undefined to take it away, not ${JSON.stringify(value)}`)
  }
}

/** No system takes a NUL. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0')
}

function isWholeNumber(value: unknown, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most
}

/**
 * What a `spawn:` address stands for: one program without arguments, since there is no shell to split them. Throws
 * `permission_denied` unless the caller said that addresses may start programs.
 */
export function spawnAddressOf({ target, parameters, text }: Address, allowSpawn: boolean): SpawnAddress {
  if (!allowSpawn) {
    throw new PosternError(
      'permission_denied',
      `${text} starts a program, which an address from elsewhere must not; connect with { allowSpawn: true }, or to { spawn: [program, ...args] }`,
    )
  }
  return { ...parameters, spawn: [target] }
}

/** The program with its arguments, as errors name it. */
export function spawnAddressText({ spawn }: SpawnAddress): string {
  return `spawn:${commandText(spawn)}`
}

/** Long command lines say too much, and the beginning is what tells them apart. */
const commandLength = 100

function commandText(argv: readonly string[]): string {
  const text = escapeText(
    argv.map((part) => (/[\s"]/.test(part) || part === '' ? JSON.stringify(part) : part)).join(' '),
  )
  return text.length > commandLength ? `${text.slice(0, commandLength)}…` : text
}

/** What connecting depends on. */
interface SpawnRequest {
  readonly limits: Pick<Limits, 'maxRestarts'>
  readonly signal?: AbortSignal | undefined
}

/**
 * Starts one program again and again, for one connection: each time after the one before has gone, and not for ever
 * where none of them says anything.
 */
export class Spawner {
  readonly #address: SpawnAddress
  readonly #name: string
  #last: SpawnedStream | undefined
  /** Lives in a row, up to the last one, that ended without an answer. */
  #unanswered = 0

  constructor(address: SpawnAddress) {
    this.#address = address
    this.#name = commandText(address.spawn)
  }

  /**
   * Resolves when the program has been started. Rejects as `startProgram` does, with `cancelled` by the signal, and with
   * `limit_exceeded` when `maxRestarts` starts in a row have led to nothing.
   */
  async connect({ limits, signal }: SpawnRequest): Promise<Stream> {
    await this.#settleLast(limits.maxRestarts)
    if (signal?.aborted === true)
      throw new PosternError('cancelled', `starting ${this.#name} was cancelled`, { cause: signal.reason })
    const { spawn, cwd, env, over = 'socket', graceMs = defaultGraceMs, onStderr } = this.#address
    this.#last = await connectSpawnedProgram({
      argv: spawn,
      name: this.#name,
      cwd,
      env,
      over,
      graceMs,
      onOutput: onStderr === undefined ? undefined : (text) => tell(onStderr, text),
    })
    return this.#last
  }

  async #settleLast(maxRestarts: number): Promise<void> {
    const last = this.#last
    if (last === undefined) return
    this.#last = undefined
    const end = await last.ended
    this.#unanswered = last.answered ? 0 : this.#unanswered + 1
    if (this.#unanswered < maxRestarts) return
    const { sentence } = exitError(this.#name, end)
    throw new PosternError(
      'limit_exceeded',
      `${this.#name} was started ${this.#unanswered} times, limits.maxRestarts (${maxRestarts}), and each time ended before it had answered; the last time it ${sentence.slice(this.#name.length + 1)}`,
      { details: { limit: 'maxRestarts', value: maxRestarts, ...end } },
    )
  }
}

/** The user's function ends nothing. */
function tell(onStderr: (text: string) => void, text: string): void {
  try {
    onStderr(text)
  } catch (error) {
    logError(error, 'onStderr')
  }
}
