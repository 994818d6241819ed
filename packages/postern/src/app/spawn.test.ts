import { realpathSync } from 'node:fs'
import { describe, expect, it, test, vi } from 'vitest'
import { scriptArgv, spawned } from '../../test/spawned-streams.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { watch } from '../../test/unix-streams.ts'
import { parseAddress } from '../core/address.ts'
import type { PosternError } from '../core/errors.ts'
import { until } from '../testing/until.ts'
import { checkSpawnAddress, type SpawnAddress, Spawner, spawnAddressOf, spawnAddressText } from './spawn.ts'

describe('checkSpawnAddress', () => {
  it.each<SpawnAddress>([
    { spawn: ['node'] },
    {
      spawn: ['node', 'x.js', '', '--flag'],
      cwd: '.',
      env: { A: 'b', C: undefined },
      over: 'stdio',
      graceMs: 0,
      onStderr: () => undefined,
      codec: 'json',
      framing: 'content-length',
    },
  ])('takes %j', (address) => {
    expect(checkSpawnAddress(address)).toBe(address)
  })

  it.each([
    ['spawn:x', 'takes an object'],
    [null, 'takes an object'],
    [{}, 'spawn is a program'],
    [{ spawn: 'node x.js' }, 'spawn is a program'],
    [{ spawn: [] }, 'spawn is a program'],
    [{ spawn: ['', 'x'] }, 'spawn is a program'],
    [{ spawn: ['node', 3] }, 'spawn is a program'],
    [{ spawn: ['node', 'a\0b'] }, 'spawn is a program'],
    [{ spawn: ['node'], shell: true }, 'no option "shell"; there are spawn, cwd'],
    [{ spawn: ['node'], cwd: '' }, 'cwd is the path'],
    [{ spawn: ['node'], cwd: 1 }, 'cwd is the path'],
    [{ spawn: ['node'], env: 'A=b' }, 'env is an object'],
    [{ spawn: ['node'], env: { A: 1 } }, 'env.A is a string'],
    [{ spawn: ['node'], env: { 'A=': 'b' } }, '"A=" cannot be the name'],
    [{ spawn: ['node'], over: 'ipc' }, 'over is one of socket, stdio, not "ipc"'],
    [{ spawn: ['node'], framing: 'lines' }, 'framing is one of newline'],
    [{ spawn: ['node'], codec: 'xml' }, 'codec is one of json'],
    [{ spawn: ['node'], graceMs: -1 }, 'graceMs must be a whole number from 0'],
    [{ spawn: ['node'], onStderr: 'inherit' }, 'onStderr is a function'],
  ])('refuses %j', (address, why) => {
    expect(() => checkSpawnAddress(address)).toThrow(TypeError)
    expect(() => checkSpawnAddress(address)).toThrow(why)
  })
})

describe('spawnAddressOf', () => {
  const address = parseAddress('spawn:/opt/my service?framing=content-length')

  it('takes the address for one program, spaces and all', () => {
    expect(spawnAddressOf(address, true)).toEqual({ spawn: ['/opt/my service'], framing: 'content-length' })
  })

  it('starts nothing that was not allowed', () => {
    expect(() => spawnAddressOf(address, false)).toThrow('[permission_denied] spawn:/opt/my service')
    expect(() => spawnAddressOf(address, false)).toThrow('allowSpawn: true')
  })
})

test('spawnAddressText is one short line', () => {
  expect(spawnAddressText({ spawn: ['node', 'x.js'] })).toBe('spawn:node x.js')
  expect(spawnAddressText({ spawn: ['/opt/my service', '', 'a\nb'] })).toBe('spawn:"/opt/my service" "" "a\\nb"')
  expect(spawnAddressText({ spawn: ['node', '-e', 'x'.repeat(1_000)] })).toHaveLength(107)
})

describe('Spawner', () => {
  it('starts without a shell, in the directory and the environment that are given', async () => {
    const directory = realpathSync(await temporaryDirectory())
    const script = `console.log(JSON.stringify([process.cwd(), process.argv.slice(1), process.env.GIVEN, process.env.HOME ?? null, process.env.POSTERN_FD ?? null]))`
    const stream = await spawned({
      spawn: scriptArgv(script, '$(touch x)', '; exit 1', '*'),
      cwd: directory,
      env: { GIVEN: '$HOME', HOME: undefined },
      over: 'stdio',
    })
    const watched = watch(stream)
    await watched.next('data')
    await watched.closed
    expect(JSON.parse(watched.text())).toEqual([directory, ['$(touch x)', '; exit 1', '*'], '$HOME', null, null])
  })

  it('passes on what is said on the side, in whole characters, and survives who is told', async () => {
    const log = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    let said = ''
    const script = `process.stdout.write(Buffer.from([0xc3])); setTimeout(() => process.stdout.write(Buffer.from([0xa9])), 50)`
    const stream = await spawned({
      spawn: scriptArgv(script),
      onStderr: (text) => {
        said += text
        throw new Error('mine')
      },
    })
    await watch(stream).closed
    expect(said).toBe('é')
    expect(log).toHaveBeenCalledWith(expect.stringContaining('onStderr: Error: mine'))
    log.mockRestore()
  })

  it('gives up a program that ends again and again before it has said anything', async () => {
    const spawner = new Spawner({ spawn: scriptArgv('console.error("no config"); process.exit(3)') })
    const limits = { maxRestarts: 3 }
    for (let life = 0; life < 3; life++) await watch(await spawner.connect({ limits })).closed
    const error = (await spawner.connect({ limits }).catch((reason: unknown) => reason)) as PosternError
    expect(error).toMatchObject({ code: 'limit_exceeded', retryable: false })
    expect(error.message).toContain('was started 3 times, limits.maxRestarts (3)')
    expect(error.message).toMatch(/the last time it exited with status 3: no config$/)
    expect(error.details).toEqual({ limit: 'maxRestarts', value: 3, exitCode: 3, signal: null, stderr: 'no config\n' })
  })

  it('starts a program as often as it takes that answers before it ends', async () => {
    const spawner = new Spawner({ spawn: scriptArgv('process.stdout.write("answer")'), over: 'stdio' })
    for (let life = 0; life < 4; life++) {
      const watched = watch(await spawner.connect({ limits: { maxRestarts: 1 } }))
      await watched.closed
      expect(watched.text()).toBe('answer')
    }
  })

  it('starts the next one only when the last one has gone', async () => {
    const spawner = new Spawner({ spawn: ['sleep', '60'], over: 'stdio', graceMs: 100 })
    const request = { limits: { maxRestarts: 5 } }
    const first = await spawner.connect(request)
    const { closed } = watch(first)
    first.abort()
    await closed
    const second = await spawner.connect(request)
    expect(() => process.kill(first.peer.pid ?? 0, 0)).toThrow('ESRCH')
    const over = watch(second).closed
    second.abort()
    await over
    await until(() => !runs(second.peer.pid ?? 0))
  })

  it('starts nothing when it was cancelled', async () => {
    const connecting = new Spawner({ spawn: ['sleep', '60'] }).connect({
      limits: { maxRestarts: 1 },
      signal: AbortSignal.abort(),
    })
    await expect(connecting).rejects.toMatchObject({ code: 'cancelled' })
  })
})

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
