/** Programs that are started to be talked to: a stream that begins and ends with its process. */

import { PosternError } from '../core/errors.ts'
import { escapeText } from '../core/escape.ts'
import { type Peer, type Stream, type StreamHandlers, unknownPeer } from '../core/stream.ts'
import { type Program, type ProgramEnd, type ProgramOptions, startProgram } from '../os/child-process.ts'
import { StdioStream } from './stdio-stream.ts'

/**
 * A program that closes its side has mostly ended, which the system says a moment later. How it ended is worth that
 * moment to whose calls are lost.
 */
const exitNoticeMs = 250

/** After the exit: what is silent for so long is held open by a process that the program left behind. */
const remainderMs = 200

/** Starts a program. Rejects as `startProgram` does. */
export async function connectSpawnedProgram(options: ProgramOptions): Promise<SpawnedStream> {
  return new SpawnedStream(await startProgram(options), options)
}

/**
 * The conversation with a program. Its close says how the program ended. Once `end` was called, the close waits for the
 * exit: who has seen it has no process left. Whatever ends the conversation ends the program.
 */
export class SpawnedStream implements Stream {
  readonly peer: Peer
  /** Resolves when the process has gone. Never rejects. */
  readonly ended: Promise<ProgramEnd>
  readonly #program: Program
  readonly #pipe: StdioStream
  readonly #name: string
  #chunks = 0
  #paused = false
  #endedHere = false
  #abortedHere = false
  #finished = false
  #closed = false
  /** Given to `abort`. */
  #fault: PosternError | undefined
  #nonsense = false

  constructor(program: Program, { name }: ProgramOptions) {
    this.#program = program
    this.#name = name
    this.ended = program.ended
    this.peer = { ...unknownPeer, pid: program.pid }
    this.#pipe = new StdioStream(program.ends, name)
  }

  /** Whether the program has said something that was not nonsense from the first. */
  get answered(): boolean {
    return this.#chunks > 0 && !this.#nonsense
  }

  start(handlers: StreamHandlers): void {
    this.#pipe.start({
      data: (chunk) => {
        this.#chunks++
        handlers.data(chunk)
      },
      drain: handlers.drain,
      end: () => void this.#peerEnded(handlers),
      close: (reason) => void this.#pipeClosed(handlers, reason),
    })
    void this.ended.then(() => this.#awaitRemainder())
  }

  write(chunk: Uint8Array | string): boolean {
    return this.#pipe.write(chunk)
  }

  pause(): void {
    this.#paused = true
    this.#pipe.pause()
  }

  resume(): void {
    this.#paused = false
    this.#pipe.resume()
  }

  end(): void {
    this.#endedHere = true
    this.#pipe.end()
    this.#program.stop()
  }

  abort(reason?: PosternError): void {
    if (this.#closed) return
    this.#abortedHere = true
    this.#fault ??= reason
    if (reason?.retryable === false && this.#chunks === 1) this.#nonsense = true
    this.#pipe.abort(reason)
    this.#program.stop()
  }

  async #peerEnded(handlers: StreamHandlers): Promise<void> {
    const gone = this.#endedHere ? undefined : await within(this.ended, exitNoticeMs)
    if (this.#closed || this.#abortedHere) return
    // How it ended says more than that it did.
    if (gone !== undefined && !this.#endedHere) this.#finish()
    else handlers.end()
  }

  async #pipeClosed(handlers: StreamHandlers, reason: PosternError | undefined): Promise<void> {
    this.#program.stop()
    let gone: ProgramEnd | undefined
    if (this.#endedHere) gone = await this.ended
    else if (!this.#abortedHere) gone = await within(this.ended, exitNoticeMs)
    this.#closed = true
    handlers.close(this.#fault ?? this.#reasonOf(gone, this.#finished ? undefined : reason))
  }

  #reasonOf(gone: ProgramEnd | undefined, reason: PosternError | undefined): PosternError | undefined {
    if (gone === undefined) return reason
    if (this.#endedHere && gone.exitCode === 0 && reason === undefined) return undefined
    return exitError(this.#name, gone, reason)
  }

  /** The program has gone: what it wrote last comes, with the end of it unless somebody else holds the pipe open. */
  #awaitRemainder(): void {
    const before = this.#chunks
    const timer = setTimeout(() => {
      if (this.#closed) return
      if (this.#paused || this.#chunks > before) this.#awaitRemainder()
      else this.#finish()
    }, remainderMs)
    timer.unref()
  }

  /** Nothing comes any more, and that is nobody's fault. */
  #finish(): void {
    this.#finished = true
    this.#pipe.abort()
  }
}

/** What a program that has gone means for a conversation with it. */
export function exitError(name: string, { exitCode, signal, stderr }: ProgramEnd, cause?: PosternError): PosternError {
  const how =
    signal !== null
      ? `was ended by ${signal}`
      : exitCode === null
        ? 'does not end, not even by SIGKILL'
        : `exited with status ${exitCode}`
  const said = lastLines(stderr)
  return new PosternError('closed', `${name} ${how}${said === '' ? '; it wrote nothing to stderr' : `: ${said}`}`, {
    details: { exitCode, signal, stderr },
    ...(cause === undefined ? {} : { cause }),
  })
}

/** How much of what a program said last stands in the text of an error. */
const saidLines = 6
const saidLength = 400

/** The last lines, but for those that say where (stack traces indent them) and those without a letter or digit. */
function lastLines(text: string): string {
  const lines = text.split('\n').map((line) => line.trimEnd())
  const telling = lines.filter((line) => /^\S.*\w|^\w/.test(line))
  const said = (telling.length > 0 ? telling : lines.filter((line) => line !== '')).slice(-saidLines).join(' | ')
  return escapeText(said.length > saidLength ? `…${said.slice(-saidLength)}` : said)
}

/** What the promise gives within the time, else undefined. */
function within<T>(promise: Promise<T>, boundMs: number): Promise<T | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), boundMs)
    void promise.then((value) => {
      clearTimeout(timer)
      resolve(value)
    })
  })
}
