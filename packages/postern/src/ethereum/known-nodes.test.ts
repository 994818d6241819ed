import { chmod, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { leaveDeadSocket, listenPlainly } from '../../test/dead-socket.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import type { NodeRoots } from '../os/node-paths.ts'
import { findNode, findNodeUnder } from './known-nodes.ts'

async function roots() {
  const directory = await temporaryDirectory()
  const all = { home: join(directory, 'h'), temporary: join(directory, 't'), tmp: join(directory, 'm') }
  for (const one of Object.values(all)) await mkdir(one)
  return { ...all, platform: 'linux' } satisfies NodeRoots
}

async function listenAt(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  const server = await listenPlainly(path)
  onTestFinished(() => void server.close())
  return `unix:${path}`
}

describe('findNode', () => {
  it('findNode refuses names that it does not know', async () => {
    await expect(findNode('parity' as never)).rejects.toThrow(
      new TypeError('a node is geth, reth, anvil, not "parity"'),
    )
  })

  it('findNode names all paths that it looked at, and how the node is started', async () => {
    const under = await roots()
    await leaveDeadSocket(join(under.temporary, 'geth.ipc'))
    await expect(findNodeUnder('geth', under)).rejects.toThrow(
      `[no_listener] no geth listens where it usually does: there is nothing at ${under.home}/.ethereum/geth.ipc, a stale socket at ${under.temporary}/geth.ipc, whose node has gone; start geth, without --ipcdisable, or give its address, as unix:/path/geth.ipc`,
    )
    await expect(findNodeUnder('anvil', under)).rejects.toThrow(/anvil\.ipc; start anvil --ipc, or give/)
  })

  it('findNode takes the likeliest place, and passes over sockets whose node has gone', async () => {
    const under = await roots()
    const dev = await listenAt(join(under.temporary, 'geth.ipc'))
    expect(await findNodeUnder('geth', under)).toBe(dev)
    const usual = await listenAt(join(under.home, '.ethereum', 'geth.ipc'))
    expect(await findNodeUnder('geth', under)).toBe(usual)
    await leaveDeadSocket(join(under.tmp, 'reth.ipc'))
    const second = await listenAt(join(under.tmp, 'reth.ipc-2'))
    expect(await findNodeUnder('reth', under)).toBe(second)
  })

  it('findNode refuses what anyone can have put there, and goes on to what nobody else can', async () => {
    const under = await roots()
    await listenAt(join(under.home, '.ethereum', 'geth.ipc'))
    await chmod(join(under.home, '.ethereum'), 0o777)
    await expect(findNodeUnder('geth', under)).rejects.toThrow('[peer_rejected] anyone could have put the socket')
    const dev = await listenAt(join(under.temporary, 'geth.ipc'))
    expect(await findNodeUnder('geth', under)).toBe(dev)
  })

  it('findNode warns of a node that every user can command', async () => {
    const warnings: string[] = []
    const note = ({ message }: Error): unknown => warnings.push(message)
    process.on('warning', note)
    onTestFinished(() => void process.off('warning', note))
    const under = await roots()
    const path = join(under.tmp, 'anvil.ipc')
    await listenAt(path)
    await chmod(path, 0o777)
    await findNodeUnder('anvil', under)
    for (const directory of [under.tmp, dirname(under.tmp)]) await chmod(directory, 0o755)
    await findNodeUnder('anvil', under)
    await expect
      .poll(() => warnings)
      .toEqual([`every user of this machine can command the anvil at ${path}; start it with umask 077`])
  })
})
