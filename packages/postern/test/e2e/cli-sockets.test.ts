/** `postern ls` and `postern clean`: the sockets of this user. */

import { lstat, mkdir, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findNative } from '../../src/os/native.ts'
import { leaveDeadSocket } from '../dead-socket.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { runCli, startCli, startInTerminal, whyNoTerminal } from './run-cli.ts'
import { failWith, startScriptedServer } from './scripted-server.ts'

interface Place {
  /** Has the variables that make it the runtime directory. */
  readonly env: Readonly<Record<string, string>>
  readonly directory: string
}

/** An empty runtime directory. */
async function makePlace(): Promise<Place> {
  const runtime = await temporaryDirectory()
  const directory = join(runtime, 'postern')
  await mkdir(directory, { mode: 0o700 })
  return { env: { XDG_RUNTIME_DIR: runtime }, directory }
}

/** One with a Postern, one that asks for a token, another server, one that says nothing, a dead socket and a file. */
async function fillPlace(): Promise<Place> {
  const place = await makePlace()
  const { directory, env } = place
  const source = `
    export const handlers = {}
    export const at = ['local:ours', { address: 'local:locked', token: { file: ${JSON.stringify(join(env['XDG_RUNTIME_DIR'] ?? '', 'token'))} } }]
  `
  await writeFile(join(directory, 'service.mjs'), source)
  await startCli(['serve', join(directory, 'service.mjs')], { env }).written('/locked\n')
  await startScriptedServer(failWith({ code: -32601, message: 'no' }), join(directory, 'foreign'))
  await startScriptedServer(() => undefined, join(directory, 'silent'))
  await startScriptedServer(() => undefined, join(directory, 'NOT a name'))
  await leaveDeadSocket(join(directory, 'stale'))
  return place
}

/** Those of other tests and programs in the directories that every user has. */
function isOurs({ env }: Place): (path: string) => boolean {
  return (path) => path.startsWith(env['XDG_RUNTIME_DIR'] ?? '')
}

describe.skipIf(process.platform === 'win32')('postern ls', () => {
  test('gives each socket as a line of JSON in a pipe', async () => {
    const place = await fillPlace()
    const { status, stdout, stderr } = await runCli(['ls'], { env: place.env })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const knowsPeers = (await findNative()) !== undefined
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { path: string; mode: string; pid: number | null })
    const uid = process.getuid?.()
    const mode = expect.stringMatching(/^0[0-7]{3}$/) as string
    const row = (name: string, state: string, protocol: string | null, address = `local:${name}`) => {
      const pid = knowsPeers && state === 'alive' ? (expect.any(Number) as number) : null
      return { address, path: join(place.directory, name), state, uid, mode, pid, protocol }
    }
    const ours = rows.filter(({ path }) => isOurs(place)(path))
    expect(ours).toEqual([
      row('NOT a name', 'alive', null, `unix:${join(place.directory, 'NOT a name')}`),
      row('foreign', 'alive', 'JSON-RPC'),
      row('locked', 'alive', 'Postern'),
      row('ours', 'alive', 'Postern'),
      row('silent', 'alive', null),
      row('stale', 'stale', null),
    ])
    expect(ours[3]?.mode).toBe('0600')
    // That of this process, which serves as two of them.
    if (knowsPeers) expect([ours[1]?.pid, ours[4]?.pid]).toEqual([process.pid, process.pid])
  })

  test('shows them in columns on a terminal', async ({ skip }) => {
    const why = whyNoTerminal()
    if (why !== undefined) skip(why)
    const { env } = await fillPlace()
    const { stdout } = await startInTerminal(['ls'], { env }).result
    const lines = stdout.split('\r\n').map((line) => line.replaceAll(/ {2,}/g, '|'))
    expect(lines[0]).toBe('ADDRESS|STATE|OWNER|MODE|PID|PROTOCOL')
    const ours = lines.find((line) => line.startsWith('local:ours'))
    // Without the addon nobody tells the process.
    expect(ours?.replace(/0600\|\d+/, '0600')).toBe(`local:ours|alive|${userInfo().username}|0600|Postern`)
    expect(lines.find((line) => line.startsWith('local:silent'))).toMatch(/\|\?$/)
    expect(lines.find((line) => line.startsWith('local:stale'))).toMatch(/^local:stale\|stale\|\w+\|0\d{3}$/)
  })

  test('takes no arguments', async () => {
    expect((await runCli(['ls', 'x'])).stderr).toMatch(/ls takes no arguments, so "x" is too many/)
  })
})

describe.skipIf(process.platform === 'win32')('postern clean', () => {
  test('removes all dead sockets of local: names and no other file, and prints them', async () => {
    const place = await fillPlace()
    const { status, stdout, stderr } = await runCli(['clean'], { env: place.env })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout.split('\n').filter(isOurs(place))).toEqual([join(place.directory, 'stale')])
    await expect(lstat(join(place.directory, 'stale'))).rejects.toThrow('ENOENT')
    expect((await runCli(['ping', 'local:ours'], { env: place.env })).status).toBe(0)
    expect((await lstat(join(place.directory, 'service.mjs'))).isFile()).toBe(true)
  })

  test('removes the given ones', async () => {
    const { directory, env } = await makePlace()
    for (const name of ['a', 'b', 'c', 'd']) await leaveDeadSocket(join(directory, name))
    const given = ['local:a', './b', `unix:${directory}/c`, join(directory, 'nothing'), 'local:nothing']
    const { status, stdout, stderr } = await runCli(['clean', ...given], { env, cwd: directory })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toBe(['a', 'b', 'c'].map((name) => `${join(directory, name)}\n`).join(''))
    expect((await lstat(join(directory, 'd'))).isSocket()).toBe(true)
  })

  test('leaves what lives and what is no socket, and says so behind the rest', async () => {
    const { directory } = await makePlace()
    const live = await startScriptedServer(() => undefined, join(directory, 'live'))
    await leaveDeadSocket(join(directory, 'dead'))
    await writeFile(join(directory, 'file'), 'precious')
    const one = await runCli(['clean', live, join(directory, 'dead')])
    expect(one).toMatchObject({ status: 3, stdout: `${join(directory, 'dead')}\n` })
    expect(one.stderr).toMatch(
      /^postern: \[address_in_use\] a live server owns .*live, so it was left; stop the server first\n$/,
    )
    const file = await runCli(['clean', join(directory, 'file')])
    expect(file).toMatchObject({ status: 2, stdout: '' })
    const two = await runCli(['clean', live, join(directory, 'file'), '--json'])
    expect(JSON.parse(two.stderr)).toMatchObject({
      error: {
        code: 'address_in_use',
        message: expect.stringMatching(/^2 sockets were left; of the first: a live/) as string,
      },
    })
    expect((await lstat(live)).isSocket()).toBe(true)
    expect((await lstat(join(directory, 'file'))).isFile()).toBe(true)
  })

  test.each<[string, RegExp]>([
    ['x', /"x" is no address: write \.\/x/],
    ['memory:x', /clean takes sockets, as local:node or \/run\/node\.sock, not "memory:x"/],
    ['nix:/x', /"nix:" is not a scheme/],
  ])('refuses %s', async (argument, message) => {
    const { status, stderr } = await runCli(['clean', argument])
    expect(status).toBe(2)
    expect(stderr).toMatch(message)
  })
})
