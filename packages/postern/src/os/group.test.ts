import { chmod, readFile, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { resolveGroup } from './group.ts'

afterEach(() => void vi.unstubAllEnvs())

test('resolveGroup finds a name in /etc/group', async () => {
  const [line = ''] = (await readFile('/etc/group', 'utf8')).split('\n').filter((text) => /^\w/.test(text))
  const [name = '', , id] = line.split(':')
  expect(await resolveGroup(name)).toBe(Number(id))
})

test.each([0, 1_000, 4_294_967_294])(
  'resolveGroup takes the id %i as it is, whether it has a name or not',
  async (id) => {
    expect(await resolveGroup(id)).toBe(id)
    expect(await resolveGroup(String(id))).toBe(id)
  },
)

test.each([-1, 1.5, Number.NaN, 4_294_967_295])('resolveGroup throws for %d, which is no id', async (id) => {
  await expect(resolveGroup(id)).rejects.toThrow(TypeError)
  await expect(resolveGroup(id)).rejects.toThrow('0 to 4294967294')
})

test('resolveGroup asks getent for what /etc/group does not know, without a shell', async () => {
  await fakeGetent('[ "$#/$1/$2" = "2/group/far \\$(id)" ] && echo "far \\$(id):*:70001:"')
  expect(await resolveGroup('far $(id)')).toBe(70_001)
  await expect(resolveGroup('near')).rejects.toMatchObject({ code: 'bad_address' })
})

test('resolveGroup believes no line about another group', async () => {
  await fakeGetent('echo "other:*:70001:"; echo "wrong:*::"; echo "wrong:*:-1:"')
  await expect(resolveGroup('wrong')).rejects.toMatchObject({ code: 'bad_address' })
})

test.each(['no-such-group-here', '', '--help', '-s', 'a:b', 'a\nb', 'a\0b', '4294967295x', '-1'])(
  'resolveGroup says that there is no group %j',
  async (name) => {
    await expect(resolveGroup(name)).rejects.toMatchObject({ code: 'bad_address' })
    await expect(resolveGroup(name)).rejects.toThrow(`no group ${JSON.stringify(name)}`)
  },
)

test('resolveGroup says that there is no such group where getent is not installed', async () => {
  vi.stubEnv('PATH', await temporaryDirectory())
  await expect(resolveGroup('no-such-group-here')).rejects.toMatchObject({ code: 'bad_address' })
})

async function fakeGetent(script: string): Promise<void> {
  const directory = await temporaryDirectory()
  await writeFile(join(directory, 'getent'), `#!/bin/sh\n${script}\n`)
  await chmod(join(directory, 'getent'), 0o700)
  vi.stubEnv('PATH', `${directory}${delimiter}${process.env['PATH'] ?? ''}`)
}
