import { execFile, spawnSync } from 'node:child_process'
import { chmod, chown, lstat, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { listen } from '../../test/unix-streams.ts'
import { groupSocketOptions } from '../os/group-directory.ts'
import { connectLocal, listenLocal } from './recommended.ts'

const root = process.geteuid?.() === 0
const somebody = 65_534
const group = 70_001
/** Becomes another user; part of util-linux. */
const setpriv: string = 'setpriv'

const ownRegid = ['--regid', String(somebody)]

const client = `require('node:net').connect(process.argv[1])
  .on('connect', function () { this.write('hello') })
  .on('data', function (text) { console.log(String(text)); this.destroy() })
  .on('error', (error) => console.log(error.code))`

const intruder = `
  const { writeFileSync, unlinkSync, linkSync } = require('node:fs')
  const path = process.argv[1]
  const attempts = [() => unlinkSync(path), () => writeFileSync(path + '2', ''), () => linkSync(path, path + '3')]
  for (const attempt of attempts) try { attempt(); console.log('done') } catch (error) { console.log(error.code) }`

test('a socket for a group serves its members and nobody else', async ({ skip }) => {
  skip(!root, 'only root can become another user')
  skip(spawnSync(setpriv, ['--version']).error !== undefined, 'setpriv is not installed')
  const path = await listenForGroup()
  expect(await runAs([...ownRegid, '--groups', String(group)], client, path)).toEqual(['hello'])
  expect(await runAs([...ownRegid, '--groups', `${group + 1},100`], client, path)).toEqual(['EACCES'])
  expect(await runAs([...ownRegid, '--clear-groups'], client, path)).toEqual(['EACCES'])
  expect(await runAs(['--regid', String(group), '--clear-groups'], client, path)).toEqual(['hello'])
})

test('a socket for a group lets its members neither remove the name nor make others', async ({ skip }) => {
  skip(!root, 'only root can become another user')
  skip(spawnSync(setpriv, ['--version']).error !== undefined, 'setpriv is not installed')
  const path = await listenForGroup()
  const refused = ['EACCES', 'EACCES']
  // A link to the socket of another is refused for that reason first where the system protects hard links.
  expect((await runAs([...ownRegid, '--groups', String(group)], intruder, path)).slice(0, 2)).toEqual(refused)
  expect(await readdir(join(path, '..'))).toEqual(['s'])
})

test('who is no member can give neither a directory nor a socket to the group', async ({ skip }) => {
  skip(!root, 'only root can become another user')
  const base = await openDirectory()
  await chown(base, somebody, somebody)
  await mkdir(join(base, 'made'))
  await chown(join(base, 'made'), somebody, group)
  await chmod(join(base, 'made'), 0o750)
  process.seteuid?.(somebody)
  onTestFinished(() => process.seteuid?.(0))
  const missing = groupSocketOptions(join(base, 'missing', 's'), group)
  await expect(missing).rejects.toMatchObject({ code: 'permission_denied' })
  await expect(missing).rejects.toThrow('you must be a member of the group')
  const path = join(base, 'made', 's')
  const options = await groupSocketOptions(path, group)
  await expect(listen(path, options)).rejects.toMatchObject({ code: 'permission_denied' })
  await expect(listen(path, options)).rejects.toThrow('you must be a member of the group')
  expect(await readdir(base)).toEqual(['made'])
  expect(await readdir(join(base, 'made'))).toEqual([])
})

test('listenLocal refuses a group, which could not get to the socket', async () => {
  const refusal = listenLocal('group-test', { limits: { maxConnections: 1 }, onStream: () => undefined, gid: 0 })
  await expect(refusal).rejects.toMatchObject({ code: 'bad_address' })
  await expect(refusal).rejects.toThrow('local:group-test')
  await expect(connectLocal('group-test', { limits: { connectMs: 1_000 } })).rejects.toMatchObject({
    code: 'no_listener',
  })
})

/** The lines that a small program prints as somebody of these groups. */
async function runAs(groups: readonly string[], program: string, path: string): Promise<string[]> {
  const args = ['--reuid', String(somebody), ...groups, '--', process.execPath, '-e', program, path]
  const { stdout } = await promisify(execFile)(setpriv, args, { cwd: '/' })
  return stdout.trim().split('\n')
}

async function listenForGroup(): Promise<string> {
  const path = join(await openDirectory(), 'app', 's')
  await listen(path, await groupSocketOptions(path, group))
  expect((await lstat(path)).mode & 0o777).toBe(0o660)
  return path
}

async function openDirectory(): Promise<string> {
  const directory = await temporaryDirectory()
  await chmod(directory, 0o755)
  return directory
}
