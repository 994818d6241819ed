import * as promises from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { leaveDeadSocket } from '../../test/dead-socket.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { acquireSocketName } from './socket-name.ts'

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof promises>()
  return { ...real, link: vi.fn(real.link), rename: vi.fn(real.rename), chmod: vi.fn(real.chmod) }
})

test.each(['EPERM', 'ENOTSUP', 'EOPNOTSUPP'])(
  'acquireSocketName says what is missing where link() fails with %s',
  async (code) => {
    const path = join(await temporaryDirectory(), 's')
    vi.mocked(promises.link).mockRejectedValueOnce(systemError(code))
    await expect(acquire(path)).rejects.toMatchObject({ code: 'not_supported' })
    vi.mocked(promises.link).mockRejectedValueOnce(systemError(code))
    await expect(acquire(path)).rejects.toThrow('makes no hard links')
  },
)

test('acquireSocketName gives the claim back where the last step fails', async () => {
  const directory = await temporaryDirectory()
  const path = join(directory, 's')
  await leaveDeadSocket(path)
  vi.mocked(promises.rename).mockRejectedValueOnce(systemError('EIO'))
  await expect(acquire(path)).rejects.toThrow(`cannot take over ${path}`)
  expect(await promises.readdir(directory)).toEqual(['s'])
  await acquire(path)
})

test.each([
  ['ENOSPC', 0],
  ['EACCES', 0],
  ['ENOSPC', 1],
  ['EACCES', 1],
])('acquireSocketName publishes nothing where a mode cannot be set: %s at call %i', async (code, call) => {
  const directory = await temporaryDirectory()
  const real = vi.mocked(promises.chmod).getMockImplementation() as typeof promises.chmod
  for (let earlier = 0; earlier < call; earlier++) vi.mocked(promises.chmod).mockImplementationOnce(real)
  vi.mocked(promises.chmod).mockRejectedValueOnce(systemError(code))
  await expect(acquire(join(directory, 's'))).rejects.toMatchObject({ cause: { code } })
  expect(await promises.readdir(directory)).toEqual([])
})

async function acquire(path: string): Promise<void> {
  const server = createServer()
  onTestFinished(() => void server.close())
  await acquireSocketName(path, (bound) => new Promise((resolve) => server.listen(bound, resolve)))
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: made up`), { code })
}
