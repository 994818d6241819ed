import { chmod, chown, mkdir, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { freshRoots } from '../../test/runtime-roots.ts'
import { findLocalSocket, makeRuntimeDirectory, type RuntimeRoots } from './runtime-dir.ts'

const uid = String(process.geteuid?.())
const root = uid === '0'
const needsRoot = 'only root can give a directory to another user'
const somebody = 65_534

test('makeRuntimeDirectory makes $XDG_RUNTIME_DIR/postern with mode 0700 and takes it again', async () => {
  const roots = await freshRoots()
  const directory = await makeRuntimeDirectory(roots)
  expect(directory).toBe(join(roots.xdg, 'postern'))
  expect((await stat(directory)).mode & 0o777).toBe(0o700)
  expect(await makeRuntimeDirectory(roots)).toBe(directory)
})

test.each(['000', '177', '777'])('makeRuntimeDirectory makes mode 0700 under umask %s', async (umask) => {
  const roots = await freshRoots()
  const before = process.umask(Number.parseInt(umask, 8))
  const directory = await makeRuntimeDirectory(roots).finally(() => process.umask(before))
  expect((await stat(directory)).mode & 0o777).toBe(0o700)
})

test.each(['relative', undefined, ''])('makeRuntimeDirectory goes on where XDG_RUNTIME_DIR is %j', async (xdg) => {
  const roots = await freshRoots()
  expect(await makeRuntimeDirectory({ ...roots, xdg })).toBe(join(roots.runUser, uid, 'postern'))
})

test('makeRuntimeDirectory goes on where no runtime directory exists, to /tmp/postern-UID', async () => {
  const roots = await freshRoots()
  const bare = { ...roots, xdg: join(roots.xdg, 'none'), runUser: join(roots.runUser, 'none') }
  expect(await makeRuntimeDirectory(bare)).toBe(join(roots.tmp, `postern-${uid}`))
})

test('makeRuntimeDirectory leaves the runtime directory of another user alone, as after su', async ({ skip }) => {
  skip(!root, needsRoot)
  const roots = await freshRoots()
  await chown(roots.xdg, somebody, somebody)
  expect(await makeRuntimeDirectory(roots)).toBe(join(roots.runUser, uid, 'postern'))
})

test('makeRuntimeDirectory refuses a runtime directory that others can write into', async () => {
  const roots = await freshRoots()
  await chmod(roots.xdg, 0o777)
  await expect(makeRuntimeDirectory(roots)).rejects.toThrow(`directory ${roots.xdg} has mode 0777`)
})

test.each(['0750', '0701', '0777'])('makeRuntimeDirectory and findLocalSocket refuse mode %s', async (mode) => {
  const roots = await freshRoots()
  const directory = await makeRuntimeDirectory(roots)
  await chmod(directory, Number.parseInt(mode, 8))
  for (const attempt of [() => makeRuntimeDirectory(roots), () => findLocalSocket('a', roots)]) {
    const refusal = attempt()
    await expect(refusal).rejects.toMatchObject({ code: 'permission_denied' })
    await expect(refusal).rejects.toThrow(`directory ${directory} has mode ${mode}`)
    await expect(refusal).rejects.toThrow(`chmod 700 ${directory}`)
  }
})

test('makeRuntimeDirectory and findLocalSocket refuse a symbolic link and a file', async () => {
  const roots = await freshRoots()
  await symlink(roots.tmp, join(roots.xdg, 'postern'))
  await expect(makeRuntimeDirectory(roots)).rejects.toThrow('is a symbolic link')
  await expect(findLocalSocket('a', roots)).rejects.toThrow('is a symbolic link')
  const others = await freshRoots()
  await writeFile(join(others.xdg, 'postern'), '')
  await expect(makeRuntimeDirectory(others)).rejects.toThrow('is not a directory')
})

test('makeRuntimeDirectory and findLocalSocket refuse the directory of another user', async ({ skip }) => {
  skip(!root, needsRoot)
  const roots = await freshRoots()
  const squatted = join(roots.tmp, `postern-${uid}`)
  await mkdir(squatted, { mode: 0o700 })
  await chown(squatted, somebody, somebody)
  const bare: RuntimeRoots = { ...roots, xdg: undefined, runUser: join(roots.runUser, 'none') }
  await expect(makeRuntimeDirectory(bare)).rejects.toThrow(`directory ${squatted} belongs to uid ${somebody}`)
  await expect(findLocalSocket('a', bare)).rejects.toThrow(`directory ${squatted} belongs to uid ${somebody}`)
})

test('findLocalSocket takes the first directory that has the name', async () => {
  const roots = await freshRoots()
  const last = join(await makeRuntimeDirectory({ ...roots, xdg: undefined, runUser: '/nowhere' }), 'a')
  await writeFile(last, '')
  expect(await findLocalSocket('a', roots)).toBe(last)
  const first = join(await makeRuntimeDirectory(roots), 'a')
  expect(await findLocalSocket('a', roots)).toBe(last)
  await writeFile(first, '')
  expect(await findLocalSocket('a', roots)).toBe(first)
})

test('findLocalSocket names all directories it looked in', async () => {
  const roots = await freshRoots()
  const refusal = findLocalSocket('a', roots)
  await expect(refusal).rejects.toMatchObject({ code: 'no_listener' })
  for (const directory of [join(roots.xdg, 'postern'), join(roots.tmp, `postern-${uid}`)]) {
    await expect(refusal).rejects.toThrow(directory)
  }
})
