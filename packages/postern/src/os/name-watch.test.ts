import { link, rename, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { watchSocketName } from './name-watch.ts'
import { acquireSocketName, type SocketName } from './socket-name.ts'

test.each<[string, (path: string) => Promise<void>]>([
  ['removed', (path) => rm(path)],
  ['moved', (path) => rename(path, `${path}-moved`)],
  [
    'replaced',
    async (path) => {
      await writeFile(`${path}-new`, '')
      await rename(`${path}-new`, path)
    },
  ],
])('watchSocketName tells once that the name was %s', async (_, lose) => {
  const name = await taken()
  const onLost = vi.fn()
  onTestFinished(watchSocketName(name, onLost))
  await lose(name.realPath)
  await vi.waitFor(() => expect(onLost).toHaveBeenCalledOnce(), { timeout: 1_000 })
})

test('watchSocketName is silent about other names, and after it was stopped', async () => {
  const name = await taken()
  const onLost = vi.fn()
  const stop = watchSocketName(name, onLost)
  const other = vi.fn()
  onTestFinished(watchSocketName({ ...name, realPath: `${name.realPath}-2`, inode: name.inode }, other))
  await writeFile(`${name.realPath}-2`, '')
  await vi.waitFor(() => expect(other).toHaveBeenCalledOnce(), { timeout: 1_000 })
  expect(onLost).not.toHaveBeenCalled()
  stop()
  const second = vi.fn()
  await link(name.realPath, `${name.realPath}-3`)
  onTestFinished(watchSocketName({ ...name, realPath: `${name.realPath}-3` }, second))
  await rm(name.realPath)
  await rm(`${name.realPath}-3`)
  await vi.waitFor(() => expect(second).toHaveBeenCalledOnce(), { timeout: 1_000 })
  expect(onLost).not.toHaveBeenCalled()
})

async function taken(): Promise<SocketName> {
  const server: Server = createServer()
  onTestFinished(() => void server.close())
  const path = join(await temporaryDirectory(), 's')
  return acquireSocketName(path, (bound) => new Promise((resolve) => server.listen(bound, resolve)))
}
