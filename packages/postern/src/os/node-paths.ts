/**
 * Where Ethereum nodes put their IPC socket when nobody tells them otherwise, and whether it can be believed.
 *
 * Sources: go-ethereum `node/defaults.go` and `node/config.go`, `IPCEndpoint`; reth `RpcServerArgs`, whose
 * `adjust_instance_ports` appends the number of an instance; anvil's `--ipc`.
 */

import type { BigIntStats } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PosternError } from '../core/errors.ts'
import { ownUid } from './identity.ts'
import { formatMode, fromNodeError } from './node-error.ts'
import { kindOf, lookAt } from './socket-file.ts'

/** Nodes whose usual places are known. */
export type NodeName = 'geth' | 'reth' | 'anvil'

/** What the places depend on; the defaults are this machine's. */
export interface NodeRoots {
  readonly platform?: NodeJS.Platform
  readonly home?: string
  /** The system's directory for temporary files, where `geth --dev` has its data. */
  readonly temporary?: string
  /** Where reth and anvil put their sockets, whatever the system says. */
  readonly tmp?: string
}

/** The paths at which a node listens by default, the likeliest first. `not_supported` on Windows. */
export async function nodeSocketPaths(node: NodeName, roots: NodeRoots = {}): Promise<string[]> {
  const { platform = process.platform, home = homedir(), temporary = tmpdir(), tmp = '/tmp' } = roots
  if (platform === 'win32') {
    throw new PosternError(
      'not_supported',
      `${node} listens at the named pipe \\\\.\\pipe\\${node}.ipc on Windows, and named pipes of other programs are not built yet; use its HTTP port`,
    )
  }
  switch (node) {
    case 'geth': {
      const data = platform === 'darwin' ? join(home, 'Library', 'Ethereum') : join(home, '.ethereum')
      return [join(data, 'geth.ipc'), join(temporary, 'geth.ipc')]
    }
    case 'reth':
      return [join(tmp, 'reth.ipc'), ...(await rethInstances(tmp))]
    case 'anvil':
      return [join(tmp, 'anvil.ipc')]
  }
}

/** What further instances of reth on the same machine have made, by their numbers. */
async function rethInstances(directory: string): Promise<string[]> {
  const entries = await readdir(directory).catch(() => [])
  const numbers = entries.map((entry) => Number(/^reth\.ipc-(\d{1,5})$/.exec(entry)?.[1] ?? 0))
  const found = numbers.filter((number) => number > 0).sort((one, other) => one - other)
  return found.map((number) => join(directory, `reth.ipc-${number}`))
}

const worldWritable = 0o002
const worldSearchable = 0o001
const sticky = 0o1000

/**
 * Whether there is a socket at the path that only this user, root or one of `trust` can have put there. Rejects with
 * `peer_rejected`, saying who else can have, and with `bad_address` for what is no socket. Links are followed, and must
 * be of such a user too.
 */
export async function isBelievedSocket(path: string, trust: readonly number[]): Promise<boolean> {
  const named = await lookAt(path)
  if (named === undefined) return false
  refuseOwner(named, path, trust)
  try {
    const status = await stat(path, { bigint: true })
    if (!status.isSocket()) {
      throw new PosternError('bad_address', `${path} is ${kindOf(status)}, not a socket; move it away`)
    }
    refuseOwner(status, path, trust)
    await refuseDirectory(dirname(await realpath(path)), path, trust)
    return true
  } catch (error) {
    const failure = fromNodeError(error, 'look at', path)
    if (failure.code === 'no_listener') return false
    throw failure
  }
}

async function refuseDirectory(directory: string, path: string, trust: readonly number[]): Promise<void> {
  const status = await stat(directory, { bigint: true })
  refuseOwner(status, directory, trust)
  if (!writableByAll(status) || (Number(status.mode) & sticky) !== 0) return
  throw new PosternError(
    'peer_rejected',
    `anyone could have put the socket at ${path}: its directory has mode ${formatMode(Number(status.mode))}; chmod o-w ${directory}, or give the address itself to connect all the same`,
  )
}

/** Whether every user of the machine can connect to the socket, and so command whoever listens there. */
export async function isOpenToAll(path: string): Promise<boolean> {
  if (!writableByAll(await stat(path, { bigint: true }))) return false
  for (let at = await realpath(path); at !== dirname(at); ) {
    at = dirname(at)
    if (((await stat(at)).mode & worldSearchable) === 0) return false
  }
  return true
}

function writableByAll({ mode }: BigIntStats): boolean {
  return (Number(mode) & worldWritable) !== 0
}

function refuseOwner(status: BigIntStats, path: string, trust: readonly number[]): void {
  const uid = Number(status.uid)
  if (uid === ownUid() || uid === 0 || trust.includes(uid)) return
  throw new PosternError(
    'peer_rejected',
    `${path} belongs to uid ${uid}, neither to uid ${ownUid()} of this process nor to root; to believe that user's node, give the option trust: [${uid}]`,
  )
}
