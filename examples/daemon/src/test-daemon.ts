/** Daemons and workers for tests: real ones, that meet nobody else's, and are gone when the test is over. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { connectToDaemon, type JobConnection } from './client.ts'
import type { Job } from './contract.ts'
import { type Program, startProgram } from './program.ts'

/** A new private directory, removed when the test is over. */
export async function testDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-jobs-test-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** A new private directory in which `local:` names are looked for until the test is over. */
export async function ownRuntimeDirectory(): Promise<string> {
  const directory = await testDirectory()
  const before = process.env['XDG_RUNTIME_DIR']
  process.env['XDG_RUNTIME_DIR'] = directory
  onTestFinished(() => {
    if (before === undefined) delete process.env['XDG_RUNTIME_DIR']
    else process.env['XDG_RUNTIME_DIR'] = before
  })
  return directory
}

/** Starts a program that is killed when the test is over. */
export function startForTest(...args: Parameters<typeof startProgram>): Program {
  const program = startProgram(...args)
  onTestFinished(() => program.kill())
  return program
}

/** Starts a daemon, and resolves when it serves. */
export async function startDaemon(file: string): Promise<Program> {
  const daemon = startForTest('daemon.ts', [file])
  await daemon.line(/serves/)
  return daemon
}

/** A connection that is dropped when the test is over. */
export async function connectForTest(): Promise<JobConnection> {
  const connection = await connectToDaemon()
  onTestFinished(() => connection.abort())
  return connection
}

/** All jobs, the oldest first. */
export async function allJobs({ api }: JobConnection): Promise<Job[]> {
  const jobs: Job[] = []
  for (;;) {
    const page = await api.list({ limit: 100, before: jobs.at(-1)?.id })
    jobs.push(...page)
    if (page.length < 100) return jobs.toReversed()
  }
}
