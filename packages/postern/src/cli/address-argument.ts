/**
 * Where a command finds its ADDRESS: as its first argument or, left out, in the variable `POSTERN_ADDRESS`.
 *
 * The first argument is an address when it begins with a scheme and a colon (`unix:`, `local:`) or as a path does: with
 * `/`, `./`, `../` or `~`; and `geth`, `reth` and `anvil` are. Nothing else is, so that the rule can be told in one
 * sentence and no file has a say in it.
 */

import type { NodeName } from '../os/node-paths.ts'
import { UsageError } from './usage-error.ts'

/** The address, and the arguments behind it. */
export interface AddressedArguments {
  readonly address: string
  readonly rest: readonly string[]
}

/** Takes the address off the arguments. Throws `UsageError` when there is none. */
export function takeAddress(args: readonly string[], fallback: string | undefined): AddressedArguments {
  const [first, ...rest] = args
  if (first !== undefined && looksLikeAddress(first)) return { address: toAddress(first), rest }
  if (fallback !== undefined && fallback !== '') return { address: toAddress(fallback), rest: args }
  if (first === undefined)
    throw new UsageError('give an ADDRESS, as unix:/run/node.sock or local:node, or set POSTERN_ADDRESS')
  throw new UsageError(
    `${JSON.stringify(first)} is no address: write ./${first} for a socket's path, local:${first} for a local name, or set POSTERN_ADDRESS to leave it out`,
  )
}

/** The address of a command that takes nothing else. */
export function takeSoleAddress(args: readonly string[], fallback: string | undefined, command: string): string {
  const { address, rest } = takeAddress(args, fallback)
  const [extra] = rest
  if (extra === undefined) return address
  throw new UsageError(`${command} takes an ADDRESS and no more, so ${JSON.stringify(extra)} is too many`)
}

/** Nodes that are looked for where they usually listen; `postern/ethereum` knows where that is. */
const nodeNames: ReadonlySet<string> = new Set<NodeName>(['geth', 'reth', 'anvil'])

/** Whether an argument is the name of a node in place of an address. */
export function isNodeName(text: string): text is NodeName {
  return nodeNames.has(text)
}

/** Whether an argument is an address, whatever stands at its place. */
export function looksLikeAddress(text: string): boolean {
  return isNodeName(text) || isPath(text) || /^[a-z][a-z0-9+.-]*:/i.test(text)
}

function isPath(text: string): boolean {
  return /^(?:\/|\.\.?\/|~)/.test(text)
}

/** What the user wrote as an address: a bare path is that of a Unix socket. */
export function toAddress(text: string): string {
  return isPath(text) ? `unix:${text}` : text
}
