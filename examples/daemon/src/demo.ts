/**
 * The whole show: a daemon and two workers, of which one worker and the daemon are killed in the middle of their work.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectAsAdmin, connectToDaemon, follow, type JobConnection } from './client.ts'
import type { Change, Job } from './contract.ts'
import { type Program, startProgram } from './program.ts'

/** Where the show takes place, and who hears of it. */
export interface DemoOptions {
  readonly say: (line: string) => void
  /** Ends everything when it aborts. */
  readonly signal: AbortSignal
}

/** What came of it. */
export interface DemoResult {
  /** Its files, which are gone. */
  readonly directory: string
  /** Its processes, which have ended. */
  readonly pids: readonly number[]
  /** The job that each submit was answered with. */
  readonly submitted: readonly number[]
  /** All jobs of the queue at the end. */
  readonly jobs: readonly Job[]
  /** Each job that a worker said it has begun, as often as it did. */
  readonly begun: readonly number[]
  /** What was seen of each job by following it. */
  readonly changes: readonly (readonly Change[])[]
}

/** Long enough to be killed in the middle of. */
const jobMs = 250

/** Runs in a directory of its own, so that it meets no daemon of yours, and leaves nothing behind. */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-jobs-'))
  const remove = (): void => rmSync(directory, { recursive: true, force: true })
  process.once('exit', remove)
  const before = process.env['XDG_RUNTIME_DIR']
  process.env['XDG_RUNTIME_DIR'] = directory
  try {
    await using stage = new Stage(options.signal)
    options.say(`all files are in ${directory}`)
    return { directory, ...(await show(stage, join(directory, 'jobs.db'), options)) }
  } finally {
    if (before === undefined) delete process.env['XDG_RUNTIME_DIR']
    else process.env['XDG_RUNTIME_DIR'] = before
    process.off('exit', remove)
    remove()
  }
}

async function show(stage: Stage, file: string, { say }: DemoOptions): Promise<Omit<DemoResult, 'directory'>> {
  const daemon = stage.start('daemon.ts', [file])
  await daemon.line(/serves/)
  const tell = (line: string): void => say(`   ${line}`)
  const anna = stage.start('worker.ts', ['anna'], tell)
  const ben = stage.start('worker.ts', ['ben'], tell)
  await using connection = await connectToDaemon()
  stage.onAbort(() => connection.abort())
  const client = new Client(connection)
  say(`a daemon (process ${daemon.pid}) and two workers, anna (${anna.pid}) and ben (${ben.pid})`)
  await client.submit(8)

  await ben.line(/begun/, ben.lines.length)
  await ben.kill()
  say('ben was killed in the middle of that job: the daemon will give it to anna')

  await anna.line(/begun/, anna.lines.length)
  const underWay = client.submit(8)
  // Waited for below; where the show breaks off before that, nobody does.
  underWay.catch(() => undefined)
  await daemon.kill()
  say('the daemon was killed in the middle of that job, with 8 submits under way')
  const successor = stage.start('daemon.ts', [file])
  await successor.line(/serves/)
  say(`the daemon is back (process ${successor.pid}); all go on by themselves`)
  await underWay

  const changes = await client.allEnded()
  await using admin = await connectAsAdmin()
  const jobs = await admin.api.list({ limit: 100 })
  await admin.call('rpc.stop')
  await successor.ended
  await anna.kill('SIGTERM')

  const begun = [...anna.lines, ...ben.lines].flatMap((line) => /job (\d+) begun/.exec(line)?.[1] ?? []).map(Number)
  const pids = stage.programs.map(({ pid }) => pid)
  return { pids, submitted: client.submitted, jobs: jobs.toReversed(), begun, changes }
}

/** What has to be ended, whatever happens. */
class Stage implements AsyncDisposable {
  readonly programs: Program[] = []
  readonly #signal: AbortSignal

  constructor(signal: AbortSignal) {
    this.#signal = signal
    this.onAbort(() => void this[Symbol.asyncDispose]())
  }

  start(...args: Parameters<typeof startProgram>): Program {
    this.#signal.throwIfAborted()
    const program = startProgram(...args)
    this.programs.push(program)
    return program
  }

  onAbort(end: () => void): void {
    if (this.#signal.aborted) end()
    else this.#signal.addEventListener('abort', end, { once: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.programs.map((program) => program.kill()))
  }
}

/** Submits jobs and follows each of them. */
class Client {
  readonly #connection: JobConnection
  readonly submitted: number[] = []
  readonly #followed: Promise<Change[]>[] = []

  constructor(connection: JobConnection) {
    this.#connection = connection
  }

  async submit(count: number): Promise<void> {
    const first = this.submitted.length + 1
    const keys = Array.from({ length: count }, (_, index) => `demo ${first + index}`)
    const made = await Promise.all(
      keys.map((key) => this.#connection.api.submit({ name: 'sleep', payload: { ms: jobMs }, key })),
    )
    for (const { id } of made) {
      const followed = this.#follow(id)
      followed.catch(() => undefined)
      this.#followed.push(followed)
      this.submitted.push(id)
    }
  }

  allEnded(): Promise<Change[][]> {
    return Promise.all(this.#followed)
  }

  async #follow(id: number): Promise<Change[]> {
    const changes: Change[] = []
    for await (const change of follow(this.#connection, id)) changes.push(change)
    return changes
  }
}
