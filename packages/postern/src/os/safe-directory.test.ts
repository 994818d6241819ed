import { chmod, chown, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { checkSocketDirectory } from './safe-directory.ts'

const root = process.geteuid?.() === 0
const needsRoot = 'only root can give a directory to another user'
const somebody = 65_534

test.each(['0700', '0755', '1777'])('checkSocketDirectory accepts our own directory of mode %s', async (mode) => {
  const directory = await directoryOf(mode)
  expect(await checkSocketDirectory(directory)).toBe(directory)
})

test.each(['0770', '0707', '0777'])('checkSocketDirectory refuses a directory of mode %s', async (mode) => {
  const directory = await directoryOf(mode)
  const refusal = checkSocketDirectory(directory)
  await expect(refusal).rejects.toMatchObject({ code: 'permission_denied' })
  await expect(refusal).rejects.toThrow(`directory ${directory} has mode ${mode}`)
  await expect(refusal).rejects.toThrow(`chmod go-w ${directory}`)
})

test('checkSocketDirectory refuses a directory of another user', async ({ skip }) => {
  skip(!root, needsRoot)
  const directory = await directoryOf('0755')
  await chown(directory, somebody, somebody)
  await expect(checkSocketDirectory(directory)).rejects.toThrow(`directory ${directory} belongs to uid ${somebody}`)
})

test('checkSocketDirectory follows a symbolic link and returns where it leads', async () => {
  const directory = await directoryOf('0700')
  await symlink(directory, `${directory}-link`)
  await mkdir(join(directory, 'below'))
  expect(await checkSocketDirectory(`${directory}-link`)).toBe(directory)
  expect(await checkSocketDirectory(`${directory}-link/below`)).toBe(join(directory, 'below'))
})

test('checkSocketDirectory refuses a symbolic link to an unsafe directory and names that', async () => {
  const directory = await directoryOf('0777')
  await symlink(directory, `${directory}-link`)
  await expect(checkSocketDirectory(`${directory}-link`)).rejects.toThrow(`directory ${directory} has mode 0777`)
})

test('checkSocketDirectory refuses a private directory that others can move away', async ({ skip }) => {
  const directory = await directoryOf('0777')
  await mkdir(join(directory, 'private'), { mode: 0o700 })
  await expect(checkSocketDirectory(join(directory, 'private'))).rejects.toThrow(`directory ${directory} has mode 0777`)
  skip(!root, needsRoot)
  await chmod(directory, 0o755)
  await chown(directory, somebody, somebody)
  await expect(checkSocketDirectory(join(directory, 'private'))).rejects.toThrow(`belongs to uid ${somebody}`)
})

test('checkSocketDirectory lets a group write above a private directory', async () => {
  const directory = await directoryOf('0775')
  await mkdir(join(directory, 'private'), { mode: 0o700 })
  expect(await checkSocketDirectory(join(directory, 'private'))).toBe(join(directory, 'private'))
})

test('checkSocketDirectory says what is missing or no directory', async () => {
  const directory = await directoryOf('0700')
  await writeFile(join(directory, 'file'), '')
  await expect(checkSocketDirectory(join(directory, 'none'))).rejects.toMatchObject({ code: 'bad_address' })
  await expect(checkSocketDirectory(join(directory, 'none'))).rejects.toThrow('does not exist')
  await expect(checkSocketDirectory(join(directory, 'file'))).rejects.toThrow('is not a directory')
})

async function directoryOf(mode: string): Promise<string> {
  const directory = join(await temporaryDirectory(), 'd')
  await mkdir(directory)
  await chmod(directory, Number.parseInt(mode, 8))
  return directory
}
