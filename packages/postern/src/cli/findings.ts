/**
 * What `postern doctor` looks at: each thing that Postern needs, or can do without.
 */

import { readFileSync } from 'node:fs'
import { isPosternError } from '../core/errors.ts'
import { defaultLimits } from '../core/limits.ts'
import { descriptorLimit, reservedDescriptors } from '../os/descriptor-limit.ts'
import { ownUid } from '../os/identity.ts'
import { readOwnIdentity } from '../os/identity-check.ts'
import { loadNative } from '../os/native.ts'
import { formatMode } from '../os/node-error.ts'
import { hasNamedPipes } from '../os/pipe-path.ts'
import { lookAtRuntimeDirectory } from '../os/runtime-dir.ts'
import { thisSystem } from '../os/system.ts'
import { installedVersion } from './installed-version.ts'

/** One thing that was looked at. */
export interface Finding {
  readonly name: string
  /** `note`: all works but what the detail says. */
  readonly state: 'ok' | 'note' | 'wrong'
  readonly detail: string
}

type Outcome = Omit<Finding, 'name'>

/** Everything, in the order in which a person would ask. */
export async function allFindings(): Promise<Finding[]> {
  return [
    { name: 'Node', ...node(process.versions.node) },
    { name: 'system', ...system() },
    { name: 'local: names', ...(await runtimeDirectory()) },
    { name: nativeName, ...(await native()) },
    ...Object.entries(optionalPackages).map(([name, use]) => ({ name, ...optional(name, use) })),
    { name: 'open files', ...descriptors(descriptorLimit()) },
  ]
}

const nativeName = '@postern/native'

/** What is lost without them. */
export const optionalPackages: Readonly<Record<string, string>> = {
  msgpackr: 'MessagePack (?codec=msgpack)',
  'cbor-x': 'CBOR (?codec=cbor)',
  viem: 'viem transport of postern/ethereum',
}

interface OwnPackage {
  readonly version: string
  readonly engines: { readonly node: string }
}

function ownPackage(): OwnPackage {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as OwnPackage
}

/** Of Node, which must be at least what the package asks for. */
export function node(version: string): Outcome {
  const least = ownPackage().engines.node.replace('>=', '')
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [leastMajor = 0, leastMinor = 0] = least.split('.').map(Number)
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return { state: 'ok', detail: version }
  return { state: 'wrong', detail: `${version}; Postern needs ${least} or newer` }
}

function system(): Outcome {
  const { name, tested } = thisSystem()
  return tested ? { state: 'ok', detail: name } : { state: 'note', detail: `${name}, where nothing has been tested` }
}

async function runtimeDirectory(): Promise<Outcome> {
  if (hasNamedPipes()) return { state: 'ok', detail: 'named pipes of this user' }
  try {
    const { directory, status } = await lookAtRuntimeDirectory()
    if (status === undefined) return { state: 'ok', detail: `${directory}, made by the first server` }
    return { state: 'ok', detail: `${directory}, mode ${formatMode(status.mode)}, owner uid ${status.uid}` }
  } catch (error) {
    return { state: 'wrong', detail: sentenceOf(error) }
  }
}

const lost = 'peers are not told apart, allow and shm: are refused'

async function native(): Promise<Outcome> {
  const version = installedVersion(nativeName)
  if (version === undefined) return { state: 'note', detail: `not installed: ${lost} (npm install ${nativeName})` }
  const own = ownPackage().version
  if (version !== own) return { state: 'wrong', detail: `${version}; this Postern is ${own} and needs the same` }
  try {
    const { uid } = await readOwnIdentity(await loadNative(nativeName))
    if (uid === ownUid()) return { state: 'ok', detail: `${version}; tells who connects` }
    return { state: 'wrong', detail: `${version}; it tells uid ${uid} of this process, which is uid ${ownUid()}` }
  } catch (error) {
    // It is for some systems only; where it loads, it has to work.
    if (!isPosternError(error, 'missing_dependency'))
      return { state: 'wrong', detail: `${version}; ${sentenceOf(error)}` }
    return { state: 'note', detail: `${version}; ${lost}: ${sentenceOf(error.cause)}` }
  }
}

function optional(name: string, use: string): Outcome {
  const version = installedVersion(name)
  if (version !== undefined) return { state: 'ok', detail: version }
  return { state: 'note', detail: `not installed: no ${use} (npm install ${name})` }
}

/** Of the limit on descriptors, which may be below what the default limits allow. */
export function descriptors(limit: number | undefined): Outcome {
  if (limit === undefined) return { state: 'ok', detail: 'the system does not tell how many' }
  const { maxConnections } = defaultLimits
  const room = limit - reservedDescriptors
  if (room >= maxConnections) return { state: 'ok', detail: `up to ${limit}` }
  return {
    state: 'note',
    detail: `up to ${limit}, so that a server has ${Math.max(1, room)} connections in place of ${maxConnections}; ulimit -n raises it`,
  }
}

function sentenceOf(error: unknown): string {
  return isPosternError(error) ? error.sentence : (error as Error).message
}
