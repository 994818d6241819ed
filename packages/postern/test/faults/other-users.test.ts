/** Other users at the door, really there: as the kernel tells them, by processes that run as they. */

import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { connect } from '../../src/app/connect.ts'
import { type PlaceOptions, type Server, serve } from '../../src/app/serve.ts'
import type { PosternError } from '../../src/core/errors.ts'
import type { Peer } from '../../src/core/stream.ts'
import { findNative } from '../../src/os/native.ts'
import { until } from '../../src/testing/until.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

const somebody = 65_534
const group = 70_001
/** Becomes another user; part of util-linux. */
const setpriv: string = 'setpriv'
const asSomebody = ['--reuid', String(somebody), '--regid', String(somebody), '--clear-groups']
const asMember = ['--reuid', String(somebody), '--regid', String(somebody), '--groups', `100,${group}`]

const call = `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'who' })}\n`

/** Makes one call and prints the line that comes, or why there is none. */
const caller = `
  let text = ''
  require('node:net').connect(process.argv[1], function () { this.write(${JSON.stringify(call)}) })
    .setEncoding('utf8')
    .on('data', function (chunk) { text += chunk; if (text.includes('\\n')) this.destroy() })
    .on('error', (error) => { text ||= error.code })
    .on('close', () => console.log(text.trim()))`

const squatter = `require('node:net').createServer(() => undefined).listen(process.argv[1], () => console.log('ready'))`

/** Processes of that user which connect, call, and exit: they do not wait for what comes of it. */
const leavers = `
import os, socket, sys
path, count, call = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode()
for _ in range(count):
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(${somebody})
        os.setuid(${somebody})
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(path)
        connection.sendall(call)
        os._exit(0)
    os.waitpid(child, 0)
`

interface Opened {
  readonly server: Server
  readonly path: string
  /** The peers for whom the handler ran. */
  readonly ran: Peer[]
  readonly told: PosternError[]
}

async function opened(place: Partial<PlaceOptions>): Promise<Opened> {
  const path = await openPath()
  const ran: Peer[] = []
  const told: PosternError[] = []
  const who = (_: unknown, { peer }: { readonly peer: Peer }): Peer => {
    ran.push(peer)
    return peer
  }
  const onError = (error: unknown): void => void told.push(error as PosternError)
  const server = await serve({ who }, { at: { address: `unix:${path}`, ...place }, onError })
  onTestFinished(() => server.close())
  return { server, path, ran, told }
}

/** A path that others can get to. */
async function openPath(): Promise<string> {
  const directory = await temporaryDirectory()
  await chmod(directory, 0o755)
  return join(directory, 's')
}

async function answerTo(who: readonly string[], path: string): Promise<string> {
  const args = [...who, '--', process.execPath, '-e', caller, path]
  const { stdout } = await promisify(execFile)(setpriv, args, { cwd: '/' })
  return stdout.trim()
}

async function squat(path: string): Promise<void> {
  const child: ChildProcess = spawn(setpriv, [...asSomebody, '--', process.execPath, '-e', squatter, path], {
    cwd: '/',
  })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  if (child.stdout !== null) await once(child.stdout, 'data')
}

beforeEach(async ({ skip }) => {
  skip(process.geteuid?.() !== 0, 'only root can become another user')
  skip(spawnSync(setpriv, ['--version']).error !== undefined, 'setpriv is not installed')
  skip((await findNative()) === undefined, '@postern/native is not built')
})

describe('another user', () => {
  it('is refused by the kernel without allow', async () => {
    const { path, ran, told } = await opened({})
    expect(await answerTo(asSomebody, path)).toBe('EACCES')
    expect({ ran, told }).toEqual({ ran: [], told: [] })
  })

  it('is let in who is listed, and handlers know who it is', async () => {
    const { path, ran } = await opened({ allow: { uids: [somebody] } })
    const { result } = JSON.parse(await answerTo(asSomebody, path)) as { result: Peer }
    expect(result).toEqual({
      uid: somebody,
      gid: somebody,
      groups: [],
      pid: expect.any(Number) as number,
      alive: true,
    })
    expect(result.pid).not.toBe(process.pid)
    expect(ran).toEqual([result])
  })

  it('is let in by a supplementary group', async () => {
    const { path, ran } = await opened({ allow: { groups: [group] } })
    expect(JSON.parse(await answerTo(asMember, path))).toMatchObject({
      result: { uid: somebody, groups: [100, group] },
    })
    expect(await answerTo(asSomebody, path)).toMatch(/^\[permission_denied\] /)
    expect(ran).toHaveLength(1)
  })

  it('is turned away in words who is not listed, and nothing is run', async () => {
    const { path, ran, told } = await opened({ allow: { uids: [somebody - 1], groups: [group] } })
    const refusal = `[permission_denied] this address is not for uid ${somebody}; its server lets in others by the option allow`
    expect(await answerTo(asSomebody, path)).toBe(refusal)
    expect(ran).toEqual([])
    expect(told.map(({ message }) => message)).toEqual([refusal])
  })

  it('is turned away where the mode of the file was widened behind our back', async () => {
    const { path, ran } = await opened({})
    await chmod(path, 0o666)
    expect(await answerTo(asSomebody, path)).toContain(`[permission_denied] this address is not for uid ${somebody}`)
    expect(ran).toEqual([])
  })
})

describe('processes that connect, call and exit', () => {
  it('do no harm, and nobody runs anything who may not: 1,000 of them', async ({ skip }) => {
    skip(spawnSync('python3', ['--version']).error !== undefined, 'python3, which starts them fast enough, is missing')
    const { path, ran, server } = await opened({ allow: { uids: [somebody] } })
    await promisify(execFile)('python3', ['-c', leavers, path, '1000', call])
    await until(() => server.connections === 0)
    expect(ran.every(({ uid, alive }) => uid === somebody && alive === true)).toBe(true)
    expect(await ownAnswer(path)).toMatchObject({ uid: 0 })
  })

  it('are turned away when they have ended before they are looked at', async ({ skip }) => {
    skip(spawnSync('python3', ['--version']).error !== undefined, 'python3, which starts them fast enough, is missing')
    const { path, ran, told, server } = await opened({ allow: { uids: [somebody] } })
    // Nothing is accepted before it returns.
    expect(spawnSync('python3', ['-c', leavers, path, '20', call]).status).toBe(0)
    await until(() => told.length === 20)
    expect(new Set(told.map(({ message }) => message))).toEqual(
      new Set(['[permission_denied] the process that connected has ended']),
    )
    expect(ran).toEqual([])
    expect(server.connections).toBe(0)
  })
})

describe('a server that somebody else put there', () => {
  it('is not believed for its file, nor when the file is made ours', async () => {
    const path = await openPath()
    await chmod(join(path, '..'), 0o1777)
    await squat(path)
    const connecting = (trust: readonly number[] = []) => connect(`unix:${path}`, { limits: { retries: 0 }, trust })
    await expect(connecting()).rejects.toThrow(`[peer_rejected] the socket at ${path} belongs to uid ${somebody}`)
    await chown(path, 0, 0)
    await expect(connecting()).rejects.toThrow(`[peer_rejected] the server at ${path} runs as uid ${somebody}`)
    const connection = await connecting([somebody])
    expect(connection.peer.uid).toBe(somebody)
    connection.abort()
  })
})

async function ownAnswer(path: string): Promise<unknown> {
  const connection = await connect(`unix:${path}`)
  try {
    return await connection.call('who')
  } finally {
    connection.abort()
  }
}
