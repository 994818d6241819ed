import { chmod, chown, lstat, mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import * as promises from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { groupSocketOptions, prepareGroupDirectory } from './group-directory.ts'
import { makeRuntimeDirectory } from './runtime-dir.ts'

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof promises>()
  return { ...real, chown: vi.fn(real.chown), chmod: vi.fn(real.chmod) }
})

afterEach(() => void vi.unstubAllEnvs())

const root = process.geteuid?.() === 0
const needsRoot = 'only root can give a directory to a group it is not in, or to another user'
const somebody = 65_534
/** A group that this process may give files to, whoever runs it. */
const ownGroup = process.getegid?.() ?? -1
const group = root ? 70_001 : ownGroup

test('groupSocketOptions makes the directory for the group and says how the socket is to be', async () => {
  const directory = join(await openDirectory(), 'app')
  expect(await groupSocketOptions(join(directory, 's'), group)).toEqual({ mode: 0o660, gid: group })
  expect(await look(directory)).toEqual({ mode: '750', gid: group })
})

test('prepareGroupDirectory takes the directory that it made again, and one of mode 0710', async () => {
  const path = join(await openDirectory(), 'app', 's')
  await prepareGroupDirectory(path, group)
  await prepareGroupDirectory(path, group)
  await chmod(join(path, '..'), 0o710)
  await prepareGroupDirectory(path, group)
  expect((await look(join(path, '..'))).mode).toBe('710')
})

test.each(['000', '077'])('prepareGroupDirectory makes mode 0750 under umask %s, by way of 0700', async (umask) => {
  const directory = join(await openDirectory(), 'app')
  const before = process.umask(Number.parseInt(umask, 8))
  const seen: unknown[] = []
  vi.mocked(chown).mockImplementationOnce(async (...given) => {
    seen.push((await look(directory)).mode)
    await chown(...given)
    seen.push((await look(directory)).mode)
  })
  await prepareGroupDirectory(join(directory, 's'), group).finally(() => process.umask(before))
  expect(seen).toEqual(['700', '700'])
  expect((await look(directory)).mode).toBe('750')
})

test('prepareGroupDirectory makes one directory for all that start at once', async () => {
  const path = join(await openDirectory(), 'app', 's')
  await Promise.all(Array.from({ length: 20 }, () => prepareGroupDirectory(path, group)))
  expect(await look(join(path, '..'))).toEqual({ mode: '750', gid: group })
})

test('prepareGroupDirectory makes the last directory only', async () => {
  const directory = await openDirectory()
  const refusal = prepareGroupDirectory(join(directory, 'a', 'b', 's'), group)
  await expect(refusal).rejects.toMatchObject({ code: 'bad_address' })
  await expect(refusal).rejects.toThrow(`directory ${join(directory, 'a')}, which is to hold`)
})

test('prepareGroupDirectory makes none where others could replace it', async () => {
  const directory = await openDirectory()
  await chmod(directory, 0o777)
  await expect(prepareGroupDirectory(join(directory, 'app', 's'), group)).rejects.toThrow(`chmod go-w ${directory}`)
  expect(await promises.readdir(directory)).toEqual([])
})

test.each(['0755', '0751', '0770', '0754', '0777', '0740', '0700'])(
  'prepareGroupDirectory refuses a directory of mode %s and leaves it so',
  async (mode) => {
    const directory = join(await openDirectory(), 'app')
    await mkdir(directory)
    await chown(directory, -1, group)
    await chmod(directory, Number.parseInt(mode, 8))
    const refusal = prepareGroupDirectory(join(directory, 's'), group)
    await expect(refusal).rejects.toMatchObject({ code: 'permission_denied' })
    await expect(refusal).rejects.toThrow(`directory ${directory} has mode ${mode}`)
    await expect(refusal).rejects.toThrow('chmod')
    expect((await look(directory)).mode).toBe(mode.slice(1))
  },
)

test('prepareGroupDirectory refuses the directory of another group and says how to give it', async ({ skip }) => {
  skip(!root, needsRoot)
  const directory = join(await openDirectory(), 'app')
  await mkdir(directory)
  await chmod(directory, 0o750)
  await expect(prepareGroupDirectory(join(directory, 's'), group)).rejects.toThrow(
    `has mode 0750 and group ${ownGroup}, the socket in it is for group ${group} alone; chgrp ${group} ${directory} && chmod 750 ${directory}`,
  )
})

test('prepareGroupDirectory refuses the directory of another user', async ({ skip }) => {
  skip(!root, needsRoot)
  const directory = join(await openDirectory(), 'app')
  await mkdir(directory)
  await chmod(directory, 0o750)
  await chown(directory, somebody, group)
  await expect(prepareGroupDirectory(join(directory, 's'), group)).rejects.toThrow(`belongs to uid ${somebody}`)
})

test('prepareGroupDirectory follows a symbolic link and checks where it leads', async () => {
  const base = await openDirectory()
  await prepareGroupDirectory(join(base, 'app', 's'), group)
  await symlink(join(base, 'app'), join(base, 'link'))
  await prepareGroupDirectory(join(base, 'link', 's'), group)
  await chmod(join(base, 'app'), 0o755)
  await expect(prepareGroupDirectory(join(base, 'link', 's'), group)).rejects.toThrow(
    `directory ${join(base, 'app')} has`,
  )
  await rename(join(base, 'app'), join(base, 'gone'))
  await expect(prepareGroupDirectory(join(base, 'link', 's'), group)).rejects.toThrow('does not exist')
})

test('prepareGroupDirectory says what is no directory', async () => {
  const file = join(await openDirectory(), 'file')
  await writeFile(file, '')
  await expect(prepareGroupDirectory(join(file, 's'), group)).rejects.toThrow('is not a directory')
})

test('prepareGroupDirectory refuses the directory of local: names, and what lies below', async () => {
  vi.stubEnv('XDG_RUNTIME_DIR', await temporaryDirectory())
  const runtime = await makeRuntimeDirectory()
  await mkdir(join(runtime, 'below'))
  for (const path of [join(runtime, 's'), join(runtime, 'below', 's'), join(runtime, 'missing', 's')]) {
    await expect(prepareGroupDirectory(path, group)).rejects.toMatchObject({ code: 'permission_denied' })
    await expect(prepareGroupDirectory(path, group)).rejects.toThrow(
      `${path} lies in ${runtime}, the directory of local:`,
    )
  }
  expect((await look(runtime)).mode).toBe('700')
})

test('prepareGroupDirectory refuses what lies behind a directory that only its owner enters', async () => {
  const closed = await temporaryDirectory()
  await expect(prepareGroupDirectory(join(closed, 'app', 's'), group)).rejects.toThrow(
    `directory ${closed} has mode 0700, so that no other user gets through it`,
  )
  expect(await promises.readdir(closed)).toEqual([])
})

test('prepareGroupDirectory says that only members can give to a group, and leaves nothing behind', async () => {
  const directory = join(await openDirectory(), 'app')
  vi.mocked(chown).mockRejectedValueOnce(Object.assign(new Error('made up'), { code: 'EPERM' }))
  const refusal = prepareGroupDirectory(join(directory, 's'), group)
  await expect(refusal).rejects.toMatchObject({ code: 'permission_denied' })
  await expect(refusal).rejects.toThrow('you must be a member of the group')
  await expect(lstat(directory)).rejects.toThrow('ENOENT')
})

test('prepareGroupDirectory leaves nothing behind where the mode cannot be set', async () => {
  const directory = join(await openDirectory(), 'app')
  vi.mocked(chmod).mockRejectedValueOnce(Object.assign(new Error('made up'), { code: 'EIO' }))
  await expect(prepareGroupDirectory(join(directory, 's'), group)).rejects.toThrow(
    `cannot set the mode of ${directory}`,
  )
  await expect(lstat(directory)).rejects.toThrow('ENOENT')
})

/** One that everybody may enter, as `/run` is. */
async function openDirectory(): Promise<string> {
  const directory = await temporaryDirectory()
  await chmod(directory, 0o755)
  return directory
}

async function look(path: string): Promise<{ mode: string; gid: number }> {
  const status = await lstat(path)
  return { mode: (status.mode & 0o7777).toString(8), gid: status.gid }
}
