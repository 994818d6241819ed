import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, renameSync, statSync } from 'node:fs'
import { chmod, chown, symlink, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test, vi } from 'vitest'
import { leaveDeadSocket, listenPlainly } from '../../test/dead-socket.ts'
import { startStoppedServer } from '../../test/stopped-server.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { connectTo, echoed, freshPath, listen, nothing, started } from '../../test/unix-streams.ts'
import type { Stream } from '../core/stream.ts'
import { claimName } from '../os/claim-chain.ts'
import { connectSocketStream } from './socket-stream.ts'
import { connectUnixSocket } from './unix-socket.ts'

const root = process.geteuid?.() === 0
const somebody = 65_534
/** Becomes another user; part of util-linux. */
const setpriv: string = 'setpriv'

test('listenUnixSocket says where it listens, as a client would write it', async () => {
  const path = await freshPath()
  const listener = await listen(path)
  expect(listener.address).toBe(`unix:${path}`)
})

test('listenUnixSocket survives 500 clients that leave at any moment', async () => {
  const path = await freshPath()
  const open = new Set<Stream>()
  const serve = (stream: Stream) => {
    open.add(stream)
    const gone = () => void open.delete(stream)
    stream.start({ data: (chunk) => void stream.write(chunk), drain: nothing, end: () => stream.end(), close: gone })
  }
  await listen(path, { onStream: serve })
  await Promise.all(Array.from({ length: 500 }, (_, index) => leaveAtRandom(path, index)))
  expect(await echoed(path, 'still here')).toBe('still here')
  await vi.waitFor(() => expect(open.size).toBe(0))
})

test('Listener.close gives the name back, keeps who is connected and may be called again', async () => {
  const path = await freshPath()
  const streams: Stream[] = []
  const listener = await listen(path, { onStream: (stream) => void streams.push(stream) })
  const client = await started(path)
  await vi.waitFor(() => expect(streams).toHaveLength(1))
  await Promise.all([listener.close(), listener.close()])
  expect(existsSync(path)).toBe(false)
  await expect(connectTo(path)).rejects.toMatchObject({ code: 'no_listener' })
  streams[0]?.write(Buffer.from('still'))
  await vi.waitFor(() => expect(client.text()).toBe('still'))
  client.stream.abort()
  streams[0]?.abort()
  await listener.close()
  listener.closeSync()
})

test('Listener.closeSync gives the name back at once', async () => {
  const path = await freshPath()
  const listener = await listen(path)
  listener.closeSync()
  expect(existsSync(path)).toBe(false)
  await listener.close()
})

test('Listener of a server that lost its name leaves the new one alone and tells of the loss', async () => {
  const path = await freshPath()
  const onLost = vi.fn()
  const old = await listen(path, { onLost })
  renameSync(path, `${path}-moved`)
  await listen(path)
  await vi.waitFor(() => expect(onLost).toHaveBeenCalledOnce(), { timeout: 1_000 })
  expect(onLost.mock.calls[0]?.[0]).toMatchObject({ code: 'closed' })
  const inode = statSync(path).ino
  await old.close()
  expect(statSync(path).ino).toBe(inode)
  expect(await echoed(path, 'new')).toBe('new')
})

test('listenUnixSocket closes its server when the name is taken, and the owner goes on', async () => {
  const path = await freshPath()
  await listen(path)
  const before = openHandles()
  await expect(listen(path)).rejects.toMatchObject({ code: 'address_in_use' })
  await vi.waitFor(() => expect(openHandles()).toBe(before))
  expect(await echoed(path, 'owner')).toBe('owner')
})

test('listenUnixSocket waits for a claimant, and serves who came before the name was its own', async () => {
  const path = await freshPath()
  await leaveDeadSocket(path)
  const claimant = await listenPlainly(join(path, '..', claimName(statSync(path, { bigint: true }).ino)))
  const listening = listen(path)
  const nest = await vi.waitFor(() => {
    const name = readdirSync(join(path, '..')).find((helper) => helper.startsWith('.pn-'))
    const socket = join(path, '..', String(name), 's')
    expect(statSync(socket).mode & 0o777).toBe(0o600)
    return socket
  })
  const early = await started(nest)
  early.stream.write(Buffer.from('early'))
  claimant.close()
  await listening
  await vi.waitFor(() => expect(early.text()).toBe('early'))
})

test('listenUnixSocket turns away who comes beyond limits.maxConnections and tells each time', async () => {
  const path = await freshPath()
  const onDrop = vi.fn()
  const streams: Stream[] = []
  await listen(path, { limits: { maxConnections: 2 }, onDrop, onStream: (stream) => void streams.push(stream) })
  const clients = [await started(path), await started(path), await started(path)]
  expect(await clients[2]?.next('end')).toBe('end')
  expect(onDrop).toHaveBeenCalledOnce()
  expect(streams).toHaveLength(2)
  for (const { stream } of clients) stream.abort()
  for (const stream of streams.splice(0)) stream.abort()
  await vi.waitFor(async () => {
    await started(path)
    expect(streams.length).toBeGreaterThan(0)
  })
  for (const stream of streams) stream.abort()
})

test('connectUnixSocket tells a stale socket from an empty path and from a file', async () => {
  const path = await freshPath()
  await expect(connectTo(path)).rejects.toMatchObject({ code: 'no_listener' })
  await expect(connectTo(path)).rejects.toThrow('nothing is at')
  await leaveDeadSocket(path)
  await expect(connectTo(path)).rejects.toMatchObject({ code: 'no_listener' })
  await expect(connectTo(path)).rejects.toThrow('stale')
  await writeFile(`${path}-file`, '')
  await expect(connectTo(`${path}-file`)).rejects.toMatchObject({ code: 'bad_address' })
  await expect(connectTo(`${path}-file/below`)).rejects.toMatchObject({ code: 'bad_address' })
})

test('connectUnixSocket follows a symbolic link to a socket', async () => {
  const path = await freshPath()
  await listen(path)
  await symlink(path, `${path}-link`)
  expect(await echoed(`${path}-link`, 'x')).toBe('x')
})

test('connectUnixSocket says busy where the backlog is full, never stale', async ({ skip }) => {
  skip(process.platform !== 'linux', 'elsewhere a full backlog refuses like a dead socket')
  await expect(connectTo(await startStoppedServer())).rejects.toMatchObject({ code: 'busy', retryable: true })
})

test('connectUnixSocket refuses the socket of a user whom it does not trust', async ({ skip }) => {
  skip(!root, 'only root can give a socket to another user')
  const path = await freshPath()
  await listen(path)
  await chown(path, somebody, somebody)
  await expect(connectTo(path)).rejects.toMatchObject({ code: 'peer_rejected' })
  await expect(connectTo(path)).rejects.toThrow(`belongs to uid ${somebody}`)
  await expect(connectTo(path)).rejects.toThrow(`trust: [${somebody}]`)
  const stream = await connectUnixSocket(path, { limits: { connectMs: 5_000 }, trust: [1, somebody] })
  stream.abort()
})

test('connectUnixSocket is refused by the kernel as another user', async ({ skip }) => {
  skip(!root, 'only root can become another user')
  skip(spawnSync(setpriv, ['--version']).error !== undefined, 'setpriv is not installed')
  const path = await freshPath()
  await listen(path)
  await chmod(join(path, '..'), 0o711)
  const tryIt = `require('node:net').connect(process.argv[1]).on('connect', () => console.log('connected')).on('error', (error) => console.log(error.code))`
  const asSomebody = [
    '--reuid',
    String(somebody),
    '--regid',
    String(somebody),
    '--clear-groups',
    '--',
    process.execPath,
  ]
  const answer = execFileSync(setpriv, [...asSomebody, '-e', tryIt, path], { encoding: 'utf8', cwd: '/' })
  expect(answer.trim()).toBe('EACCES')
})

test('connectUnixSocket can be cancelled before and during the attempt', async () => {
  const path = await freshPath()
  await listen(path)
  const reason = new Error('enough')
  const cancelled = connectUnixSocket(path, { limits: { connectMs: 5_000 }, signal: AbortSignal.abort(reason) })
  await expect(cancelled).rejects.toMatchObject({ code: 'cancelled', cause: reason })
  const controller = new AbortController()
  const during = connectUnixSocket(path, { limits: { connectMs: 5_000 }, signal: controller.signal })
  controller.abort()
  await expect(during).rejects.toMatchObject({ code: 'cancelled' })
  const finished = await connectUnixSocket(path, { limits: { connectMs: 5_000 }, signal: new AbortController().signal })
  finished.abort()
})

test('connectSocketStream gives up after limits.connectMs and names the limit', async () => {
  const path = await freshPath()
  await listen(path)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const late = connectSocketStream({ path }, { address: path, connectMs: 1_000 })
  vi.advanceTimersByTime(1_000)
  await expect(late).rejects.toMatchObject({ code: 'deadline_exceeded' })
  await expect(late).rejects.toThrow('limits.connectMs (1000 ms)')
})

test('connectUnixSocket and listenUnixSocket refuse a path that the system would cut', async () => {
  const shared = join(await temporaryDirectory(), 'x'.repeat(100)).slice(0, 108)
  for (const path of [`${shared}a`, `${shared}b`]) {
    await expect(listen(path)).rejects.toMatchObject({ code: 'bad_address' })
    await expect(connectTo(path)).rejects.toMatchObject({ code: 'bad_address' })
  }
})

test.each([
  ['@none/s', 'abstract'],
  ['\0none/s', 'abstract'],
  ['/none\0/s', 'NUL'],
  ['~other/none/s', 'another user'],
  ['', 'empty'],
])('connectUnixSocket and listenUnixSocket refuse %j before they look for its directory', async (path, words) => {
  for (const attempt of [listen, connectTo]) {
    await expect(attempt(path)).rejects.toMatchObject({ code: 'bad_address' })
    await expect(attempt(path)).rejects.toThrow(words)
  }
})

test('listenUnixSocket outlives the lack of descriptors: who comes then is counted, who comes later is served', async ({
  skip,
}) => {
  skip(process.platform !== 'linux', 'the limit is read from /proc')
  const path = await freshPath()
  const program = fileURLToPath(new URL('../../test/faults/scarce-server.ts', import.meta.url))
  const command = `ulimit -n 100; exec "$0" --import tsx "$1" "$2"`
  const child = spawn('sh', ['-c', command, process.execPath, program, path], { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines: string[] = []
  child.stdout.on('data', (text) => lines.push(...String(text).trim().split('\n')))
  await vi.waitFor(() => expect(lines).toContain('listening'), { timeout: 10_000 })
  const clients = await Promise.all(Array.from({ length: 200 }, () => plainClient(path)))
  await vi.waitFor(() => expect(lines.at(-1)).toBe(`dropped ${200 - 36}`), { timeout: 5_000 })
  for (const client of clients) client.destroy()
  await vi.waitFor(async () => expect(await echoed(path, 'again')).toBe('again'), { timeout: 5_000 })
  child.stdin.write('exhaust\n')
  await vi.waitFor(() => expect(lines.at(-1)).toMatch(/^connect: /), { timeout: 5_000 })
  expect(lines.at(-1)).toBe('connect: busy, listen: busy')
  await vi.waitFor(async () => expect(await echoed(path, 'and again')).toBe('and again'), { timeout: 5_000 })
  child.kill('SIGKILL')
  await once(child, 'exit')
})

/** Connects and leaves: at once, in the middle of a write, after its end, or with an answer unread. */
async function leaveAtRandom(path: string, index: number): Promise<void> {
  const socket = connect({ path, allowHalfOpen: index % 2 === 0 })
  socket.on('error', nothing)
  const closed = new Promise((resolve) => socket.on('close', resolve))
  const leave = () => void socket.destroy()
  const moment = Math.floor(Math.random() * 5)
  if (moment === 0) leave()
  if (moment === 1) socket.on('connect', leave)
  if (moment === 2) socket.on('connect', () => socket.write(Buffer.alloc(Math.random() * 300_000), leave))
  if (moment === 3) socket.on('connect', () => socket.end('x', leave))
  if (moment === 4) {
    socket.pause().write(Buffer.alloc(70_000))
    setImmediate(leave)
  }
  await closed
}

function plainClient(path: string): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.on('error', nothing)
    socket.on('connect', () => resolve(socket))
  })
}

function openHandles(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'PipeWrap').length
}
