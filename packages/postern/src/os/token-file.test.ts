import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import * as promises from 'node:fs/promises'
import { chmod, chown, lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test, vi } from 'vitest'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { readToken, sameToken, takeToken } from './token-file.ts'

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof promises>()
  return { ...real, link: vi.fn(real.link), open: vi.fn(real.open) }
})

const root = process.geteuid?.() === 0
const needsRoot = 'only root can give a file to another user'
const somebody = 65_534
const good = 'a'.repeat(19) + 'Zz-_'.repeat(6)

test('takeToken makes a token of 256 bits in a file of mode 0600, and gives the same again', async () => {
  const file = await freshFile()
  const token = await takeToken(file)
  expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/)
  expect(await readFile(file, 'utf8')).toBe(`${token}\n`)
  expect((await lstat(file)).mode & 0o777).toBe(0o600)
  expect(await takeToken(file)).toBe(token)
  expect(await readToken(file)).toBe(token)
  expect(await readdir(join(file, '..'))).toEqual(['token'])
  expect(await takeToken(await freshFile())).not.toBe(token)
})

test.each(['000', '777'])('takeToken makes a file of mode 0600 under umask %s', async (umask) => {
  const file = await freshFile()
  const before = process.umask(Number.parseInt(umask, 8))
  onTestFinished(() => void process.umask(before))
  await takeToken(file)
  expect((await lstat(file)).mode & 0o777).toBe(0o600)
})

test('takeToken gives all that start at once the same token, and leaves nothing beside it', async () => {
  const file = await freshFile()
  const program = `
    import { takeToken } from ${JSON.stringify(fileURLToPath(new URL('token-file.ts', import.meta.url)))}
    process.stdin.once('data', async () => {
      const tokens = await Promise.all(Array.from({ length: 20 }, () => takeToken(${JSON.stringify(file)})))
      process.stdout.write([...new Set(tokens)].join() + '\\n')
      process.exit()
    })
    process.stdout.write('ready\\n')`
  const children = Array.from({ length: 3 }, () => {
    const args = ['--import', 'tsx', '--input-type=module', '-e', program]
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    return child
  })
  await Promise.all(children.map((child) => once(child.stdout, 'data')))
  const answers = children.map(async (child) => {
    const [[text]] = (await Promise.all([once(child.stdout, 'data'), once(child, 'exit')])) as [[Buffer], unknown]
    return text.toString().trim()
  })
  for (const child of children) child.stdin.write('go\n')
  const tokens = new Set(await Promise.all(answers))
  expect(tokens).toEqual(new Set([await readToken(file)]))
  expect(await readdir(join(file, '..'))).toEqual(['token'])
})

test('readToken says to start the server where there is no file', async () => {
  const file = await freshFile()
  await expect(readToken(file)).rejects.toMatchObject({ code: 'no_listener' })
  await expect(readToken(file)).rejects.toThrow(`${file}; start the server`)
})

test('takeToken says which directory is missing', async () => {
  const file = join(await freshFile(), 'below')
  await expect(takeToken(file)).rejects.toMatchObject({ code: 'bad_address' })
  await expect(takeToken(file)).rejects.toThrow(`directory ${join(file, '..')}, which is to hold`)
})

test.each([
  ['', 'empty'],
  ['~other/token', 'another user'],
  ['a\0b', 'NUL'],
])('takeToken and readToken refuse the path %j', async (file, words) => {
  for (const attempt of [takeToken, readToken]) {
    await expect(attempt(file)).rejects.toMatchObject({ code: 'bad_address' })
    await expect(attempt(file)).rejects.toThrow(words)
  }
})

test('readToken takes ~ for the home directory', async () => {
  await expect(readToken('~/no-such-directory-of-postern/token')).rejects.toThrow(
    join(homedir(), 'no-such-directory-of-postern/token'),
  )
})

test.each<[string, (file: string) => Promise<unknown>]>([
  ['a directory', (file) => mkdir(file)],
  ['a FIFO', async (file) => execFileSync('sh', ['-c', 'mkfifo "$0"', file])],
  ['a symbolic link', (file) => symlink('nowhere', file)],
  [
    'a symbolic link',
    async (file) => {
      await writeFile(`${file}-aim`, good, { mode: 0o600 })
      await symlink(`${file}-aim`, file)
    },
  ],
])('takeToken and readToken refuse %s', async (kind, make) => {
  const file = await freshFile()
  await make(file)
  for (const attempt of [takeToken, readToken]) {
    await expect(attempt(file)).rejects.toMatchObject({ code: 'bad_address' })
    await expect(attempt(file)).rejects.toThrow(`${file}, which is to hold the token, is ${kind}`)
  }
})

test.each(['0644', '0604', '0602', '0660', '0620', '0666'])(
  'takeToken and readToken refuse a file of mode %s',
  async (mode) => {
    const file = await fileWith(good, mode)
    for (const attempt of [takeToken, readToken]) {
      await expect(attempt(file)).rejects.toMatchObject({ code: 'permission_denied' })
      await expect(attempt(file)).rejects.toThrow(`token file ${file} has mode ${mode}, so that others can`)
      await expect(attempt(file)).rejects.toThrow(`chmod 600 ${file}`)
    }
    expect(await readFile(file, 'utf8')).toBe(good)
  },
)

test.each(['0600', '0400', '0640', '0440'])('takeToken and readToken take a file of mode %s', async (mode) => {
  const file = await fileWith(good, mode)
  expect(await takeToken(file)).toBe(good)
  expect(await readToken(file)).toBe(good)
})

test.each([
  ['43 characters of base64url', good],
  ['the same with a newline', `${good}\n`, good],
  ['the same with a newline of Windows', `${good}\r\n`, good],
  ['64 hexadecimal digits', 'aB'.repeat(32)],
  ['padded base64', `${'+/'.repeat(21)}A=`],
  ['512 characters', 'xy'.repeat(256)],
])('readToken takes %s', async (_, content, token = content) => {
  expect(await readToken(await fileWith(content, '0600'))).toBe(token)
})

test.each([
  ['nothing', ''],
  ['42 characters', good.slice(1)],
  ['63 hexadecimal digits', 'a'.repeat(63)],
  ['two lines', `${good}\n${good}\n`],
  ['two newlines', `${good}\n\n`],
  ['a space', `${good} `],
  ['another script', `${good}ü`],
  ['a NUL', `${good}\0`],
  ['513 characters', 'x'.repeat(513)],
  ['a megabyte', 'x'.repeat(1_000_000)],
])('takeToken and readToken refuse %s as a token', async (_, content) => {
  const file = await fileWith(content, '0600')
  for (const attempt of [takeToken, readToken]) {
    await expect(attempt(file)).rejects.toMatchObject({ code: 'bad_address' })
    await expect(attempt(file)).rejects.toThrow(`${file} holds no token of 256 bits`)
  }
  expect(await readFile(file, 'utf8')).toBe(content)
})

test('takeToken refuses the file of another user, readToken takes it', async ({ skip }) => {
  skip(!root, needsRoot)
  const file = await fileWith(good, '0640')
  await chown(file, somebody, 0)
  await expect(takeToken(file)).rejects.toMatchObject({ code: 'permission_denied' })
  await expect(takeToken(file)).rejects.toThrow(`belongs to uid ${somebody}`)
  expect(await readToken(file)).toBe(good)
})

test.each([
  ['EPERM', 'not_supported', 'makes no hard links'],
  ['ENOSPC', 'busy', 'the disk is full'],
])('takeToken leaves nothing where the last step fails with %s', async (systemCode, code, words) => {
  const file = await freshFile()
  for (const expected of [{ code }, { message: expect.stringContaining(words) as string }]) {
    vi.mocked(promises.link).mockRejectedValueOnce(Object.assign(new Error('made up'), { code: systemCode }))
    await expect(takeToken(file)).rejects.toMatchObject(expected)
  }
  expect(await readdir(join(file, '..'))).toEqual([])
})

test('takeToken leaves nothing where the token cannot be written', async () => {
  const file = await freshFile()
  vi.mocked(promises.open).mockImplementationOnce(async (...given) => {
    const handle = await promises.open(...given)
    vi.spyOn(handle, 'sync').mockRejectedValueOnce(Object.assign(new Error('made up'), { code: 'ENOSPC' }))
    return handle
  })
  await expect(takeToken(file)).rejects.toMatchObject({ code: 'busy' })
  expect(await readdir(join(file, '..'))).toEqual([])
})

test('takeToken gives up where its file is removed again and again', async () => {
  const file = await freshFile()
  vi.mocked(promises.link).mockImplementation(() => Promise.resolve())
  onTestFinished(() => void vi.mocked(promises.link).mockReset())
  await expect(takeToken(file)).rejects.toMatchObject({ code: 'busy' })
})

test('sameToken tells equal tokens from others', () => {
  expect(sameToken(good, `${good.slice(1)}${good[0]}`)).toBe(false)
  expect(sameToken(good, good.slice(1))).toBe(false)
  expect(sameToken(good, '')).toBe(false)
  expect(sameToken(good, [...good].join(''))).toBe(true)
})

async function freshFile(): Promise<string> {
  return join(await temporaryDirectory(), 'token')
}

async function fileWith(content: string, mode: string): Promise<string> {
  const file = await freshFile()
  await writeFile(file, content)
  await chmod(file, Number.parseInt(mode, 8))
  return file
}
