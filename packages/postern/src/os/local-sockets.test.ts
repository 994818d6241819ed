import { chmod, chown, link, mkdir, readdir, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { leaveDeadSocket, listenPlainly } from '../../test/dead-socket.ts'
import { freshRoots } from '../../test/runtime-roots.ts'
import { claimName } from './claim-chain.ts'
import { cleanLocalSockets, listLocalSockets } from './local-sockets.ts'
import { makeRuntimeDirectory, type RuntimeRoots } from './runtime-dir.ts'
import { lookAt } from './socket-file.ts'
import { probeSocket } from './socket-probe.ts'

vi.mock('./socket-probe.ts', async (original) => {
  const { probeSocket: real } = await original<typeof import('./socket-probe.ts')>()
  return { probeSocket: vi.fn(real) }
})

const uid = process.geteuid?.() ?? -1
const root = uid === 0
const somebody = 65_534

test('listLocalSockets lists the sockets of all runtime directories by name, and nothing else', async () => {
  const roots = await freshRoots()
  const [first, last] = await runtimeDirectories(roots)
  await serveAt(join(first, 'node'))
  await leaveDeadSocket(join(first, 'api'))
  await serveAt(join(last, 'api'), 0o660)
  await writeFile(join(first, 'file'), '')
  await mkdir(join(first, 'directory'))
  await symlink(join(first, 'node'), join(first, 'link'))
  await leaveDeadSocket(join(first, '.pc-1'))
  await mkdir(join(first, '.pn-aaaaaa'))
  await leaveDeadSocket(join(first, '.pn-aaaaaa', 's'))
  const mode = Number((await lookAt(join(first, 'api')))?.mode) & 0o7777
  expect(await listLocalSockets(roots)).toEqual([
    { name: 'api', path: join(first, 'api'), alive: false, uid, mode },
    { name: 'api', path: join(last, 'api'), alive: true, uid, mode: 0o660 },
    { name: 'node', path: join(first, 'node'), alive: true, uid, mode: 0o600 },
  ])
})

test('listLocalSockets finds nothing where no directory exists, and makes none', async () => {
  const roots = await freshRoots()
  expect(await listLocalSockets(roots)).toEqual([])
  expect(await cleanLocalSockets(roots)).toEqual({ removed: [], failed: [] })
  expect(await readdir(roots.tmp)).toEqual([])
})

test('listLocalSockets probes many at once, but not all', async () => {
  const roots = await freshRoots()
  const [directory] = await runtimeDirectories(roots)
  const names = Array.from({ length: 100 }, (_, index) => `s${String(index).padStart(3, '0')}`)
  for (const name of names) await leaveDeadSocket(join(directory, name))
  let running = 0
  let most = 0
  vi.mocked(probeSocket).mockImplementation(async () => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    running--
    return 'dead'
  })
  onTestFinished(() => void vi.mocked(probeSocket).mockReset())
  const sockets = await listLocalSockets(roots)
  expect(sockets.map(({ name }) => name)).toEqual(names)
  expect(most).toBe(16)
})

test('listLocalSockets leaves a name out that the system would cut', async () => {
  const roots = await freshRoots()
  const [directory] = await runtimeDirectories(roots)
  const short = join(directory, 'x')
  await leaveDeadSocket(short)
  await link(short, join(directory, 'x'.repeat(108 - directory.length)))
  expect((await listLocalSockets(roots)).map(({ name }) => name)).toEqual(['x'])
})

test('listLocalSockets tells of a directory that is not private only where there is nothing else', async () => {
  const roots = await freshRoots()
  const [first, last] = await runtimeDirectories(roots)
  await chmod(last, 0o755)
  await expect(listLocalSockets(roots)).rejects.toMatchObject({ code: 'permission_denied' })
  await expect(cleanLocalSockets(roots)).rejects.toThrow(`directory ${last} has mode 0755`)
  await leaveDeadSocket(join(last, 'hidden'))
  await serveAt(join(first, 'node'))
  expect(await listLocalSockets(roots)).toMatchObject([{ name: 'node' }])
  await cleanLocalSockets(roots)
  expect(await readdir(last)).toEqual(['hidden'])
})

test('listLocalSockets looks into no directory of another user', async ({ skip }) => {
  skip(!root, 'only root can give a directory to another user')
  const roots = await freshRoots()
  const [first, last] = await runtimeDirectories(roots)
  await serveAt(join(first, 'node'))
  await serveAt(join(last, 'trap'))
  await chown(last, somebody, somebody)
  expect(await listLocalSockets(roots)).toMatchObject([{ name: 'node' }])
})

test('cleanLocalSockets removes the dead, keeps the living, and says what it removed', async () => {
  const roots = await freshRoots()
  const [first, last] = await runtimeDirectories(roots)
  await serveAt(join(first, 'node'))
  await leaveDeadSocket(join(first, 'api'))
  await leaveDeadSocket(join(last, 'old'))
  await writeFile(join(first, 'file'), '')
  const { removed, failed } = await cleanLocalSockets(roots)
  expect(removed.map(({ path }) => path)).toEqual([join(first, 'api'), join(last, 'old')])
  expect(failed).toEqual([])
  expect((await readdir(first)).sort()).toEqual(['file', 'node'])
  expect(await readdir(last)).toEqual([])
  expect(await cleanLocalSockets(roots)).toEqual({ removed: [], failed: [] })
})

test('cleanLocalSockets says what it could not remove and why, and goes on', async ({ skip }) => {
  skip(!root, 'only root can give a socket to another user')
  const roots = await freshRoots()
  const [directory] = await runtimeDirectories(roots)
  for (const name of ['a', 'b']) await leaveDeadSocket(join(directory, name))
  await chown(join(directory, 'a'), somebody, somebody)
  const { removed, failed } = await cleanLocalSockets(roots)
  expect(removed).toMatchObject([{ name: 'b' }])
  expect(failed).toMatchObject([{ socket: { name: 'a', uid: somebody }, error: { code: 'permission_denied' } }])
  expect(await readdir(directory)).toEqual(['a'])
})

test('cleanLocalSockets sweeps what killed servers left a minute ago, also where no socket is dead', async () => {
  const roots = await freshRoots()
  const [directory] = await runtimeDirectories(roots)
  const old = new Date(Date.now() - 61_000)
  await mkdir(join(directory, '.pn-aaaaaa'))
  await leaveDeadSocket(join(directory, '.pn-aaaaaa', 's'))
  await leaveDeadSocket(join(directory, claimName(7n)))
  for (const name of ['.pn-aaaaaa', claimName(7n)]) await utimes(join(directory, name), old, old)
  await leaveDeadSocket(join(directory, claimName(8n)))
  await cleanLocalSockets(roots)
  expect(await readdir(directory)).toEqual([claimName(8n)])
})

/** The first and the last of the directories, made. */
async function runtimeDirectories(roots: RuntimeRoots): Promise<[string, string]> {
  const last = await makeRuntimeDirectory({ ...roots, xdg: undefined, runUser: '/nowhere' })
  return [await makeRuntimeDirectory(roots), last]
}

async function serveAt(path: string, mode = 0o600): Promise<void> {
  const server = await listenPlainly(path)
  onTestFinished(() => void server.close())
  await chmod(path, mode)
}
