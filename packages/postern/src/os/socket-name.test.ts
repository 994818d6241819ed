import { execFileSync } from 'node:child_process'
import { statSync, symlinkSync, writeFileSync } from 'node:fs'
import { chmod, chown, link, lstat, mkdir, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { leaveDeadSocket, listenPlainly } from '../../test/dead-socket.ts'
import { startStoppedServer } from '../../test/stopped-server.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { claimName } from './claim-chain.ts'
import { type AcquireOptions, acquireSocketName, removeDeadSocketName, type SocketName } from './socket-name.ts'
import { probeSocket } from './socket-probe.ts'

const root = process.geteuid?.() === 0
const needsRoot = 'only root can give a file to another user'
const somebody = 65_534

test('acquireSocketName publishes a listening socket of mode 0600 and leaves nothing beside it', async () => {
  const directory = await temporaryDirectory()
  const { name } = await acquire(join(directory, 's'))
  const status = await lstat(name.path, { bigint: true })
  expect(status.isSocket()).toBe(true)
  expect(Number(status.mode) & 0o777).toBe(0o600)
  expect(status.ino).toBe(name.inode)
  expect(await readdir(directory)).toEqual(['s'])
  expect(await probeSocket(name.path)).toBe('alive')
})

test('acquireSocketName takes over a dead socket, and one whose claimant died', async () => {
  const directory = await temporaryDirectory()
  const path = join(directory, 's')
  await leaveDeadSocket(path)
  await leaveDeadSocket(join(directory, claimName(inodeOf(path))))
  const { name } = await acquire(path)
  expect(inodeOf(path)).toBe(name.inode)
  expect(await readdir(directory)).toEqual(['s'])
})

test('acquireSocketName leaves a live server its name and suggests another', async () => {
  const path = join(await temporaryDirectory(), 'app.sock')
  const { name } = await acquire(path)
  await expect(acquire(path)).rejects.toMatchObject({ code: 'address_in_use' })
  await expect(acquire(path)).rejects.toThrow(
    `${path}; stop it or choose another path, such as ${path.slice(0, -5)}-2.sock`,
  )
  expect(inodeOf(path)).toBe(name.inode)
})

test('acquireSocketName never takes a server with a full backlog for dead', async ({ skip }) => {
  skip(process.platform !== 'linux', 'elsewhere a full backlog refuses like a dead socket')
  const path = await startStoppedServer()
  const inode = inodeOf(path)
  await expect(acquire(path)).rejects.toMatchObject({ code: 'address_in_use' })
  expect(inodeOf(path)).toBe(inode)
})

test.each<[string, (path: string) => unknown]>([
  ['a regular file', (path) => writeFileSync(path, 'precious')],
  ['a directory', (path) => mkdir(path)],
  ['a FIFO', (path) => execFileSync('sh', ['-c', 'mkfifo "$0"', path])],
  ['a symbolic link', (path) => symlinkSync('/dev/null', path)],
  ['a symbolic link', (path) => symlinkSync('nowhere', path)],
])('acquireSocketName and removeDeadSocketName leave %s as it is and say what is there', async (kind, make) => {
  const directory = await temporaryDirectory()
  const path = join(directory, 's')
  await make(path)
  const before = await lstat(path)
  for (const attempt of [() => acquire(path), () => removeDeadSocketName(path)]) {
    const refusal = attempt()
    await expect(refusal).rejects.toMatchObject({ code: 'bad_address' })
    await expect(refusal).rejects.toThrow(`${path} is ${kind}, not a socket`)
  }
  const { ino, size, mtimeMs, mode } = await lstat(path)
  expect({ ino, size, mtimeMs, mode }).toEqual({
    ino: before.ino,
    size: before.size,
    mtimeMs: before.mtimeMs,
    mode: before.mode,
  })
  if (before.isFile()) expect(await readFile(path, 'utf8')).toBe('precious')
  expect(await readdir(directory)).toEqual(['s'])
})

test('acquireSocketName leaves a dead socket of another user as it is', async ({ skip }) => {
  skip(!root, needsRoot)
  const path = join(await temporaryDirectory(), 's')
  await leaveDeadSocket(path)
  await chown(path, somebody, somebody)
  const inode = inodeOf(path)
  await expect(acquire(path)).rejects.toMatchObject({ code: 'permission_denied' })
  await expect(removeDeadSocketName(path)).rejects.toThrow(`belongs to uid ${somebody}`)
  expect(inodeOf(path)).toBe(inode)
})

test('acquireSocketName leaves a claim of another user as it is', async ({ skip }) => {
  skip(!root, needsRoot)
  const directory = await temporaryDirectory()
  const path = join(directory, 's')
  await leaveDeadSocket(path)
  const claim = join(directory, claimName(inodeOf(path)))
  await leaveDeadSocket(claim)
  await chown(claim, somebody, somebody)
  await expect(acquire(path)).rejects.toThrow(claim)
  expect((await readdir(directory)).sort()).toEqual([claimName(inodeOf(path)), 's'])
})

test('acquireSocketName gives up at its deadline where a claimant stands still', async () => {
  const directory = await temporaryDirectory()
  const path = join(directory, 's')
  await leaveDeadSocket(path)
  const claim = join(directory, claimName(inodeOf(path)))
  const claimant = await listenPlainly(claim)
  onTestFinished(() => void claimant.close())
  const refusal = acquire(path, { deadlineMs: 50 })
  await expect(refusal).rejects.toMatchObject({ code: 'busy' })
  await expect(refusal).rejects.toThrow(`another process holds the claim ${claim}`)
  expect((await readdir(directory)).sort()).toEqual([claimName(inodeOf(path)), 's'])
})

test('acquireSocketName reaches helper names through the open directory where they do not fit', async ({ skip }) => {
  skip(process.platform !== 'linux', 'elsewhere such a directory is refused')
  const base = await temporaryDirectory()
  const directory = join(base, 'd'.repeat(105 - base.length - 1))
  await mkdir(directory)
  const path = join(directory, 's')
  expect(path).toHaveLength(107)
  await leaveDeadSocketAt(directory, 's')
  const { name, server } = await acquire(path)
  expect(inodeOf(path)).toBe(name.inode)
  expect(await probeSocket(path)).toBe('alive')
  expect(await readdir(directory)).toEqual(['s'])
  await name.release()
  server.close()
  expect(await readdir(directory)).toEqual([])
  // One byte more and the kernel would cut the path: a client of the longer one would reach the shorter.
  await expect(acquire(`${path}2`)).rejects.toMatchObject({ code: 'bad_address' })
})

test('acquireSocketName refuses an unsafe directory, a directory as name and names of its own helpers', async () => {
  const directory = await temporaryDirectory()
  await expect(acquire(join(directory, '.pc-1'))).rejects.toMatchObject({ code: 'bad_address' })
  await expect(acquire(join(directory, '.pn-123456'))).rejects.toMatchObject({ code: 'bad_address' })
  await expect(acquire('/')).rejects.toMatchObject({ code: 'bad_address' })
  await chmod(directory, 0o777)
  await expect(acquire(join(directory, 's'))).rejects.toThrow(`directory ${directory} has mode 0777`)
  expect(await readdir(directory)).toEqual([])
})

test('acquireSocketName takes away its helper names when listening fails', async () => {
  const directory = await temporaryDirectory()
  const failing = () => Promise.reject(Object.assign(new Error('no'), { code: 'EMFILE' }))
  await expect(acquireSocketName(join(directory, 's'), failing)).rejects.toMatchObject({ code: 'busy' })
  expect(await readdir(directory)).toEqual([])
})

test('acquireSocketName follows a symbolic link to the directory, and releases there', async () => {
  const directory = await temporaryDirectory()
  const aim = join(directory, 'aim')
  await mkdir(aim)
  symlinkSync(aim, join(directory, 'link'))
  const { name } = await acquire(join(directory, 'link', 's'))
  expect(name.path).toBe(join(directory, 'link', 's'))
  await rm(join(directory, 'link'))
  await name.release()
  expect(await readdir(aim)).toEqual([])
})

test.each(['release', 'releaseSync'] as const)(
  'SocketName.%s leaves the name to who has it by now',
  async (release) => {
    const path = join(await temporaryDirectory(), 's')
    const { name: old } = await acquire(path)
    await rm(path)
    const { name } = await acquire(path)
    await old[release]()
    expect(inodeOf(path)).toBe(name.inode)
    await name[release]()
    await name[release]()
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined()
  },
)

test('SocketName: the server that lost its name by a move does not unlink the new one when it closes', async () => {
  const path = join(await temporaryDirectory(), 's')
  const old = await acquire(path)
  await rename(path, `${path}-moved`)
  const { name } = await acquire(path)
  await old.name.release()
  await new Promise((resolve) => old.server.close(resolve))
  expect(inodeOf(path)).toBe(name.inode)
  expect(await probeSocket(path)).toBe('alive')
})

test('acquireSocketName sweeps what killed servers left, and nothing else', async () => {
  const directory = await temporaryDirectory()
  const path = join(directory, 's')
  const kept = await layOutLeftovers(directory)
  await acquire(path)
  expect((await readdir(directory)).sort()).toEqual([...kept, 's'].sort())
})

/** Old and new, dead and live helper names; returns those that must stay. */
async function layOutLeftovers(directory: string): Promise<string[]> {
  const old = new Date(Date.now() - 61_000)
  const nest = async (name: string, fill: (path: string) => Promise<unknown>) => {
    await mkdir(join(directory, name), { mode: 0o700 })
    await fill(join(directory, name))
    await utimes(join(directory, name), old, old)
  }
  await nest('.pn-dead00', (path) => leaveDeadSocket(join(path, 's')))
  await nest('.pn-empty0', () => Promise.resolve())
  await nest('.pn-live00', async (path) => {
    const server = await listenPlainly(join(path, 's'))
    onTestFinished(() => void server.close())
  })
  await nest('.pn-other0', (path) => writeFile(join(path, 'notes'), ''))
  await leaveDeadSocket(join(directory, '.pc-dead'))
  await utimes(join(directory, '.pc-dead'), old, old)
  await mkdir(join(directory, '.pn-young0'))
  await leaveDeadSocket(join(directory, '.pc-young'))
  await writeFile(join(directory, '.pc-file'), '')
  await utimes(join(directory, '.pc-file'), old, old)
  return ['.pn-live00', '.pn-other0', '.pn-young0', '.pc-young', '.pc-file']
}

test('removeDeadSocketName removes a dead name and says so', async () => {
  const directory = await temporaryDirectory()
  const path = join(directory, 's')
  await leaveDeadSocket(path)
  expect(await removeDeadSocketName(path)).toBe(true)
  expect(await removeDeadSocketName(path)).toBe(false)
  expect(await readdir(directory)).toEqual([])
})

test('removeDeadSocketName leaves a live name', async () => {
  const path = join(await temporaryDirectory(), 's')
  const { name } = await acquire(path)
  expect(await removeDeadSocketName(path)).toBe(false)
  expect(inodeOf(path)).toBe(name.inode)
})

async function acquire(path: string, options?: AcquireOptions): Promise<{ name: SocketName; server: Server }> {
  const server = createServer((socket) => socket.on('error', () => undefined).resume())
  onTestFinished(() => void server.close())
  const listen = (bound: string) =>
    new Promise<void>((resolve, reject) => server.once('error', reject).listen(bound, resolve))
  return { name: await acquireSocketName(path, listen, options), server }
}

/** The same as `leaveDeadSocket` where the path of the directory leaves no room for another name. */
async function leaveDeadSocketAt(directory: string, name: string): Promise<void> {
  const elsewhere = join(directory, '..', 'x')
  await leaveDeadSocket(elsewhere)
  await link(elsewhere, join(directory, name))
}

function inodeOf(path: string): bigint {
  return statSync(path, { bigint: true }).ino
}
