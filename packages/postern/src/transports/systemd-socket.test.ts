import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { holdSockets } from '../../test/socket-manager.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { connectTo, freshPath, started } from '../../test/unix-streams.ts'
import { connectSystemd, listenSystemd } from './systemd-socket.ts'

const activator: string = 'systemd-socket-activate'
const linux = existsSync('/proc/net/unix')
const needsLinux = 'systemd runs on Linux alone'
const options = { limits: { maxConnections: 10 }, onStream: () => undefined }

test('listenSystemd serves the passed socket, and the next service the same one', async ({ skip }) => {
  skip(!linux, needsLinux)
  const path = await freshPath()
  const manager = await holdSockets(path)
  const inode = statSync(path).ino
  const pids = new Set<string>()
  for (let activation = 0; activation < 2; activation++) {
    expect(await manager.start({ names: ['-'] })).toEqual([{ address: `unix:${path}`, left: [], inherited: [] }])
    const client = await started(path)
    client.stream.write('hello')
    client.stream.end()
    await client.closed
    const [pid = '', text] = client.text().split(' ')
    expect(text).toBe('hello')
    pids.add(pid)
    await manager.stop()
    expect(statSync(path).ino).toBe(inode)
  }
  expect(pids.size).toBe(2)
})

test('listenSystemd leaves who connects between two services to the next one', async ({ skip }) => {
  skip(!linux, needsLinux)
  const path = await freshPath()
  const manager = await holdSockets(path)
  const client = await started(path)
  client.stream.write('early')
  client.stream.end()
  await manager.start({ names: ['-'] })
  await client.closed
  expect(client.text()).toMatch(/^\d+ early$/)
})

test('listenSystemd turns away who comes beyond limits.maxConnections and tells of it', async ({ skip }) => {
  skip(!linux, needsLinux)
  const path = await freshPath()
  const manager = await holdSockets(path)
  await manager.start({ names: ['-'], maxConnections: 1 })
  const first = await started(path)
  await first.next('data')
  const second = await started(path)
  await second.next('end')
  expect(await manager.next('dropped')).toEqual({ dropped: true })
})

test('listenSystemd tells when the name of its socket is lost', async ({ skip }) => {
  skip(!linux, needsLinux)
  const path = await freshPath()
  const manager = await holdSockets(path)
  await manager.start({ names: ['-'] })
  renameSync(path, `${path}-moved`)
  expect((await manager.next('lost'))['lost']).toContain(`${path} no longer leads to the socket that systemd passed`)
})

test('listenSystemd takes sockets by name, each once', async ({ skip }) => {
  skip(!linux, needsLinux)
  const directory = await temporaryDirectory()
  const paths = ['a', 'b', 'c'].map((name) => join(directory, name))
  const manager = await holdSockets(...paths)
  const lines = await manager.start({ names: ['b', 'app.socket', 'b', '-', 'nobody'], fdNames: 'app.socket:b:unknown' })
  expect(lines).toMatchObject([
    { address: `unix:${paths[1]}` },
    { address: `unix:${paths[0]}` },
    { code: 'address_in_use' },
    { code: 'bad_address' },
    { code: 'bad_address' },
  ])
  expect(lines[3]?.['message']).toContain(
    '3 sockets named app.socket, b, unknown passed; say which, as in systemd:app.socket',
  )
  expect(lines[4]?.['message']).toContain(
    'systemd:nobody: 3 sockets named app.socket, b, unknown passed, none of that name',
  )
})

test('listenSystemd ignores sockets that are for another process', async ({ skip }) => {
  skip(!linux, needsLinux)
  const manager = await holdSockets(await freshPath())
  const lines = await manager.start({ names: ['-', '-'], pid: '$PPID' })
  expect(lines).toMatchObject([{ code: 'not_supported' }, { code: 'not_supported' }])
  expect(lines[0]?.['message']).toContain('sockets were passed to process')
})

test('listenSystemd refuses without socket activation, and a mode or group always', async () => {
  await expect(listenSystemd('', options)).rejects.toMatchObject({ code: 'not_supported' })
  await expect(listenSystemd('', options)).rejects.toThrow('start it by its .socket unit')
  for (const access of [{ mode: 0o600 }, { gid: 0 }]) {
    await expect(listenSystemd('x', { ...options, ...access })).rejects.toMatchObject({ code: 'bad_address' })
    await expect(listenSystemd('x', { ...options, ...access })).rejects.toThrow('SocketMode= and SocketGroup=')
  }
})

test('connectSystemd says to connect to the path', async () => {
  await expect(connectSystemd('x')).rejects.toMatchObject({ code: 'bad_address' })
  await expect(connectSystemd('x')).rejects.toThrow('ListenStream=')
})

test('listenSystemd understands systemd-socket-activate', async ({ skip }) => {
  skip(spawnSync(activator, ['--version']).error !== undefined, 'systemd-socket-activate is not installed')
  const path = await freshPath()
  const program = fileURLToPath(new URL('../../test/programs/activated-server.ts', import.meta.url))
  const args = ['--listen', path, '--fdname', 'app', process.execPath, '--import', 'tsx', program, '10', 'app']
  const service = spawn(activator, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  onTestFinished(() => void service.kill('SIGKILL'))
  await once(service.stderr, 'data')
  // The first connection starts the service and is served by it.
  const client = await started(path)
  client.stream.write('hello')
  client.stream.end()
  const [line] = (await once(createInterface({ input: service.stdout }), 'line')) as [string]
  expect(JSON.parse(line)).toEqual({ address: `unix:${path}`, left: [], inherited: [] })
  await client.closed
  expect(client.text()).toBe(`${service.pid} hello`)
  service.stdin.write('close\n')
  await once(service, 'exit')
  expect(existsSync(path)).toBe(true)
  await expect(connectTo(path)).rejects.toMatchObject({ code: 'no_listener' })
})
