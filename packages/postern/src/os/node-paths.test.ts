import { chmod, chown, lchown, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { rawServer } from '../../test/raw-peer.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { isBelievedSocket, isOpenToAll, type NodeName, nodeSocketPaths } from './node-paths.ts'

describe('nodeSocketPaths', () => {
  it.each<[NodeName, NodeJS.Platform, string[]]>([
    ['geth', 'linux', ['/h/.ethereum/geth.ipc', '/t/geth.ipc']],
    ['geth', 'freebsd', ['/h/.ethereum/geth.ipc', '/t/geth.ipc']],
    ['geth', 'darwin', ['/h/Library/Ethereum/geth.ipc', '/t/geth.ipc']],
    ['reth', 'linux', ['/nowhere/reth.ipc']],
    ['reth', 'darwin', ['/nowhere/reth.ipc']],
    ['anvil', 'linux', ['/nowhere/anvil.ipc']],
    ['anvil', 'darwin', ['/nowhere/anvil.ipc']],
  ])('nodeSocketPaths of %s on %s is %j', async (node, platform, paths) => {
    expect(await nodeSocketPaths(node, { platform, home: '/h', temporary: '/t', tmp: '/nowhere' })).toEqual(paths)
  })

  it('nodeSocketPaths of reth has the instances by their numbers', async () => {
    const tmp = await temporaryDirectory()
    for (const name of ['reth.ipc-10', 'reth.ipc-2', 'reth.ipc-0', 'reth.ipc-x', 'reth.ipc-2.lock', 'xreth.ipc-3'])
      await writeFile(join(tmp, name), '')
    const names = ['reth.ipc', 'reth.ipc-2', 'reth.ipc-10']
    expect(await nodeSocketPaths('reth', { tmp })).toEqual(names.map((name) => join(tmp, name)))
  })

  it('nodeSocketPaths says that named pipes are not built', async () => {
    await expect(nodeSocketPaths('geth', { platform: 'win32' })).rejects.toThrow(
      /^\[not_supported\].*\\\\\.\\pipe\\geth\.ipc.*not built yet/,
    )
  })
})

describe('isBelievedSocket', () => {
  it('isBelievedSocket is false where nothing is, or a link leads nowhere', async () => {
    const directory = await temporaryDirectory()
    await symlink('nothing', join(directory, 'link'))
    expect(await isBelievedSocket(join(directory, 'none'), [])).toBe(false)
    expect(await isBelievedSocket(join(directory, 'link'), [])).toBe(false)
  })

  it('isBelievedSocket believes a socket of this user, also behind a link', async () => {
    const { path } = await rawServer(() => undefined)
    await symlink(path, `${path}-link`)
    expect(await isBelievedSocket(path, [])).toBe(true)
    expect(await isBelievedSocket(`${path}-link`, [])).toBe(true)
  })

  it('isBelievedSocket refuses what is no socket', async () => {
    const path = join(await temporaryDirectory(), 'file')
    await writeFile(path, '')
    await expect(isBelievedSocket(path, [])).rejects.toThrow(/^\[bad_address\].*a regular file/)
  })

  it('isBelievedSocket refuses a directory in which anyone can replace the socket, unless it is sticky', async () => {
    const { path } = await rawServer(() => undefined)
    const directory = dirname(path)
    await chmod(directory, 0o777)
    await expect(isBelievedSocket(path, [])).rejects.toThrow(/^\[peer_rejected\] anyone could.*mode 0777; chmod o-w/)
    await chmod(directory, 0o1777)
    expect(await isBelievedSocket(path, [])).toBe(true)
    await chmod(directory, 0o700)
  })

  it('isBelievedSocket refuses another user: of the socket, a link to it, or its directory', async ({ skip }) => {
    skip(process.geteuid?.() !== 0, 'only root can give a socket to another user')
    const { path } = await rawServer(() => undefined)
    const link = `${path}-link`
    await symlink(path, link)
    await chown(path, 12_345, 0)
    await expect(isBelievedSocket(path, [])).rejects.toThrow(/^\[peer_rejected\].*uid 12345.*trust: \[12345\]/)
    await expect(isBelievedSocket(link, [])).rejects.toThrow('peer_rejected')
    expect(await isBelievedSocket(path, [12_345])).toBe(true)
    await chown(path, 0, 0)
    await lchown(link, 12_345, 0)
    await expect(isBelievedSocket(link, [])).rejects.toThrow('peer_rejected')
    const directory = dirname(path)
    await chown(directory, 12_345, 0)
    await expect(isBelievedSocket(path, [])).rejects.toThrow(`${directory} belongs to uid 12345`)
  })
})

describe('isOpenToAll', () => {
  it('isOpenToAll needs a socket that all can write to, in directories that all can enter', async () => {
    const { path } = await rawServer(() => undefined)
    await chmod(path, 0o777)
    expect(await isOpenToAll(path)).toBe(false)
    await chmod(dirname(path), 0o711)
    expect(await isOpenToAll(path)).toBe(true)
    await chmod(path, 0o775)
    expect(await isOpenToAll(path)).toBe(false)
  })
})
