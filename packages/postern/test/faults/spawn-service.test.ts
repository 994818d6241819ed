/** Services that are started by `connect`: what their user sees when they answer, fail, come back, or never do. */

import { describe, expect, it, onTestFinished } from 'vitest'
import { connect, type ConnectOptions, type Connection, type PosternError, type SpawnAddress } from '../../src/index.ts'
import { until } from '../../src/testing/until.ts'
import { programArgv, scriptArgv } from '../spawned-streams.ts'

/** Restarts come at once. */
const limits = { retryMinMs: 1, retryMaxMs: 10 }

async function open(address: SpawnAddress, options: ConnectOptions = {}): Promise<Connection> {
  const connection = await connect(address, { limits, ...options })
  onTestFinished(() => connection.close())
  return connection
}

function failed(outcome: Promise<unknown>): Promise<PosternError> {
  return outcome.then(
    () => {
      throw new Error('did not fail')
    },
    (error: unknown) => error as PosternError,
  )
}

function exists(pid: unknown): boolean {
  try {
    return process.kill(Number(pid), 0)
  } catch {
    return false
  }
}

describe.each(['socket', 'stdio'] as const)('a service that is started, over %s', (over) => {
  const spawn = programArgv('spawn-echo')

  it('answers, prints where it likes, and ends by itself with the connection', async () => {
    let said = ''
    const connection = await open(
      { spawn, over, onStderr: (text) => (said += text) },
      { handlers: { name: () => 'me' } },
    )
    const pid = await connection.call('pid')
    expect(connection.peer.pid).toBe(pid)
    expect(await connection.call('echo', { a: 1 })).toEqual({ a: 1 })
    await connection.call('print', 'printed')
    expect(await connection.call('callBack')).toBe('me')
    expect(await connection.call('environment', 'POSTERN_FD')).toBeNull()
    expect(await connection.call('again')).toContain('[address_in_use] this process talks over stdio: already')
    await connection.close()
    expect(exists(pid)).toBe(false)
    expect(said).toContain('printed\nprinted by hand\n')
    expect(said).toContain('ended with 0\n')
  })

  it('tells calls that wait how it ended, and is there again for the next', async () => {
    const connection = await open({ spawn, over })
    const pid = await connection.call('pid')
    const waiting = failed(connection.call('never'))
    expect(await failed(connection.call('exit', 3))).toMatchObject({
      code: 'unknown_outcome',
      message: expect.stringContaining('exited with status 3'),
    })
    expect(await waiting).toMatchObject({ code: 'unknown_outcome', cause: { details: { exitCode: 3 } } })
    const next = await connection.call('pid')
    expect(next).not.toBe(pid)
    expect(exists(pid)).toBe(false)
  })

  it('is not started again where that was not wanted', async () => {
    const connection = await open({ spawn, over }, { reconnect: false })
    await failed(connection.call('exit', 3))
    expect(await connection.closed).toMatchObject({ code: 'closed', details: { exitCode: 3, signal: null } })
    expect(await failed(connection.call('pid'))).toMatchObject({
      code: 'closed',
      message: expect.stringContaining('exited with status 3'),
    })
  })
})

describe('a program that is started', () => {
  it('and never answers is given up after limits.maxRestarts, with its last words', async () => {
    const script = 'process.stderr.write("no config\\n", () => process.exit(3))'
    const connection = await open({ spawn: scriptArgv(script) }, { limits: { ...limits, maxRestarts: 3 } })
    const reason = await connection.closed
    expect(reason).toMatchObject({
      code: 'limit_exceeded',
      details: { limit: 'maxRestarts', value: 3, exitCode: 3, signal: null, stderr: 'no config\n' },
    })
    expect(reason?.message).toMatch(/ended before it had answered; the last time it exited with status 3: no config$/)
    expect(await failed(connection.call('x'))).toMatchObject({
      code: 'closed',
      message: expect.stringContaining('no config'),
    })
  })

  it('and prints garbage where answers belong fails the calls, and is given up', async () => {
    const script = 'console.log("Listening on port 3000"); setInterval(() => 0, 1e6)'
    const address = { spawn: scriptArgv(script), over: 'stdio', graceMs: 1_000 } as const
    const connection = await open(address, { limits: { ...limits, maxRestarts: 2 } })
    expect(await failed(connection.call('x', 1, { idempotent: false }))).toMatchObject({
      message: expect.stringContaining('Listening on port 3000'),
    })
    expect(await connection.closed).toMatchObject({ code: 'limit_exceeded', details: { signal: 'SIGTERM' } })
  })

  it('and ends in the middle of an answer is told of with its status', async () => {
    const script = `process.stdin.once('data', () => process.stdout.write('{"jsonrpc":"2.0","id":1,"resu', () => process.exit(7)))`
    const connection = await open({ spawn: scriptArgv(script), over: 'stdio' }, { reconnect: false })
    const error = await failed(connection.call('x'))
    expect(`${error.message} ${String((error.cause as Error | undefined)?.message)}`).toContain('exited with status 7')
  })

  it('and is not there is said so at once, not tried again', async () => {
    expect(await failed(open({ spawn: ['postern-no-such-program'] }))).toMatchObject({ code: 'bad_address' })
  })

  it('by a string is started only where that was allowed', async () => {
    expect(await failed(connect('spawn:cat'))).toMatchObject({ code: 'permission_denied' })
    const connection = await connect('spawn:cat', { allowSpawn: true, reconnect: false })
    await connection.close()
  })

  it('takes no option that is for servers of others', async () => {
    const refused: readonly [options: ConnectOptions, words: string][] = [
      [{ tls: {} }, 'tls works with tcp: addresses alone, so not at spawn:cat; leave it out'],
      [{ trust: [0] }, 'trust is for servers that others start; this process starts spawn:cat itself, so leave it out'],
    ]
    for (const [options, words] of refused) {
      const message = `[not_supported] ${words}`
      expect(await failed(connect({ spawn: ['cat'] }, options))).toMatchObject({ message })
      expect(await failed(connect('spawn:cat', { ...options, allowSpawn: true }))).toMatchObject({ message })
    }
    expect(await failed(connect({ spawn: ['cat'] }, { tls: { ca: 'x' } }))).toBeInstanceOf(TypeError)
  })

  it('can call who started it', async () => {
    let said = ''
    const connection = await open(
      { spawn: programArgv('spawn-caller'), onStderr: (text) => (said += text) },
      { handlers: { name: (what: string) => `this ${what}` }, reconnect: false },
    )
    await connection.closed
    expect(said).toBe('this program\n')
  })

  it('and hangs is gone when the connection has been closed, or soon after it was aborted', async () => {
    const address = { spawn: ['sleep', '60'], over: 'stdio', graceMs: 100 } as const
    const closed = await open(address, { reconnect: false })
    await closed.close()
    expect(exists(closed.peer.pid)).toBe(false)
    const aborted = await open(address, { reconnect: false })
    aborted.abort()
    await aborted.closed
    await until(() => !exists(aborted.peer.pid))
  })
})
