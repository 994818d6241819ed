import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { ownRuntimeDirectory, startDaemon } from './test-daemon.ts'

const cli = fileURLToPath(new URL('../../../packages/postern/dist/cli/main.js', import.meta.url))

interface Ended {
  readonly stdout: string
  readonly stderr: string
  readonly code?: number
}

/** Runs `postern` to its end; a status other than 0 is a `code`. */
async function postern(line: string): Promise<Ended> {
  return await promisify(execFile)(process.execPath, [cli, ...line.split(' ')]).catch(
    (error: unknown) => error as Ended,
  )
}

/** What `postern` prints where all goes well. */
async function printed(line: string): Promise<string> {
  const { stdout, stderr } = await postern(line)
  expect(stderr, line).toBe('')
  return stdout
}

describe('the command line before the daemon', () => {
  test('submits, lists, follows and stops, and finds what is for admins at the admin address alone', {
    timeout: 120_000,
  }, async () => {
    const daemon = await startDaemon(join(await ownRuntimeDirectory(), 'jobs.db'))
    const job = {
      id: 1,
      name: 'x',
      payload: null,
      state: 'queued',
      attempt: 0,
      worker: null,
      result: null,
      error: null,
    }
    expect(JSON.parse(await printed('call local:jobs jobs.submit name=x'))).toEqual(job)
    expect(JSON.parse(await printed('call local:jobs jobs.submit name=y payload={"ms":5} key=k'))).toEqual({
      ...job,
      id: 2,
      name: 'y',
      payload: { ms: 5 },
    })
    expect(JSON.parse(await printed('call local:jobs jobs.cancel id=1'))).toEqual({ ...job, state: 'cancelled' })
    expect(JSON.parse(await printed('call local:jobs jobs.list state=queued'))).toMatchObject([{ id: 2 }])

    const refused = await postern('call local:jobs jobs.cancel id=7')
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toContain('no_such_job')

    const followed = (await printed('sub local:jobs jobs.watch id=1')).trimEnd().split('\n')
    expect(followed.map((line) => (JSON.parse(line) as { state: string }).state)).toEqual(['queued', 'cancelled'])

    const names = (text: string): string[] =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => line.split('\t')[0] ?? '')
    const everybodys = names(await printed('list local:jobs'))
    expect(everybodys).toEqual(expect.arrayContaining(['jobs.submit', 'jobs.watch', 'jobs.changed']))
    const admins = names(await printed('list local:jobs-admin')).filter((name) => !everybodys.includes(name))
    expect(admins).toEqual(['jobs.pause', 'jobs.resume', 'jobs.purge', 'jobs.stats'])
    expect(await postern('call local:jobs jobs.stats')).toMatchObject({ code: 7, stdout: '' })
    expect(await postern('stop local:jobs')).toMatchObject({ code: 7, stdout: '' })

    expect(JSON.parse(await printed('call local:jobs-admin jobs.purge'))).toEqual({ purged: 1 })
    expect(await printed('stop local:jobs-admin')).toBe('')
    expect(await daemon.ended).toBe(0)
    expect(await postern('ping local:jobs')).toMatchObject({ code: 3 })
  })
})
