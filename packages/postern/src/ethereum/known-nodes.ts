/** Nodes by their names, where they usually listen. */

import { isPosternError, PosternError } from '../core/errors.ts'
import { isBelievedSocket, isOpenToAll, type NodeName, type NodeRoots, nodeSocketPaths } from '../os/node-paths.ts'
import { probeSocket } from '../os/socket-probe.ts'

/** How to look for a node. */
export interface FindNodeOptions {
  /** Users, besides this one and root, whose node is believed. */
  readonly trust?: readonly number[]
}

/** What starts each node so that it can be found. */
const starts: Readonly<Record<NodeName, string>> = {
  geth: 'start geth, without --ipcdisable',
  reth: 'start reth node, without --ipcdisable',
  anvil: 'start anvil --ipc',
}

/** Whether it is the name of a node that `findNode` looks for. */
export function isNodeName(name: string): name is NodeName {
  return Object.hasOwn(starts, name)
}

/**
 * The address of a node that listens where it usually does: geth in its data directory (or that of `geth --dev`), reth
 * and its instances and anvil in /tmp. Whoever is to be believed is asked of the file's owner, and of the directory,
 * which in /tmp anybody may use.
 *
 * Rejects with `no_listener`, naming all paths that were looked at; with `peer_rejected` when the only node there is
 * can be another user's. A warning of the process tells of a node that every user of the machine can command.
 *
 * @example
 * ```ts
 * import { connect } from 'postern'
 * import { findNode } from 'postern/ethereum'
 *
 * const geth = await connect(await findNode('geth'))
 * ```
 */
export async function findNode(name: NodeName, options: FindNodeOptions = {}): Promise<string> {
  return await findNodeUnder(name, {}, options)
}

/** The same, under other directories than those of this machine. */
export async function findNodeUnder(
  name: NodeName,
  roots: NodeRoots,
  { trust = [] }: FindNodeOptions = {},
): Promise<string> {
  if (!isNodeName(name)) throw new TypeError(`a node is ${Object.keys(starts).join(', ')}, not ${JSON.stringify(name)}`)
  const seen: string[] = []
  let refusal: PosternError | undefined
  for (const path of await nodeSocketPaths(name, roots)) {
    try {
      if (!(await isBelievedSocket(path, trust))) seen.push(`nothing at ${path}`)
      else if ((await probeSocket(path)) === 'dead') seen.push(`a stale socket at ${path}, whose node has gone`)
      else return await addressOf(name, path)
    } catch (error) {
      if (!isPosternError(error)) throw error
      refusal ??= error
    }
  }
  if (refusal !== undefined) throw refusal
  const sentence = `no ${name} listens where it usually does: there is ${seen.join(', ')}; ${starts[name]}, or give its address, as unix:/path/${name}.ipc`
  throw new PosternError('no_listener', sentence)
}

async function addressOf(name: NodeName, path: string): Promise<string> {
  if (await isOpenToAll(path)) {
    process.emitWarning(
      `every user of this machine can command the ${name} at ${path}; start it with umask 077`,
      'PosternWarning',
    )
  }
  return `unix:${path}`
}
