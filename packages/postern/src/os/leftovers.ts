/** What servers left behind that were killed while they took a name. */

import { readdir } from 'node:fs/promises'
import { type ClaimDirectory, releaseName, takeName } from './claim-chain.ts'
import { ownUid } from './identity.ts'
import { nestedCopy, nestedSocket, removeNest } from './own-socket.ts'
import { lookAt } from './socket-file.ts'
import { claimPrefix, nestPrefix, type SocketPlace } from './socket-place.ts'
import { probeSocket } from './socket-probe.ts'

/** Taking a name takes milliseconds: what is older than this was left behind, or its maker stands still. */
export const leftoverAgeMs = 60_000

/**
 * Removes our own user's nests and claims that are older than `ageMs` and dead. A nest is private to its maker, so its
 * death is enough; a claim is removed only by taking it, like any other name. What resists is left for the next time.
 */
export async function sweepLeftovers(place: SocketPlace, own: ClaimDirectory, ageMs: number): Promise<void> {
  for (const name of await readdir(place.prefix)) {
    const sweep = name.startsWith(nestPrefix) ? sweepNest : name.startsWith(claimPrefix) ? sweepClaim : undefined
    if (sweep === undefined || !(await old(place.prefix + name, ageMs))) continue
    await sweep(place, name, own).catch(() => undefined)
  }
}

async function sweepNest(place: SocketPlace, name: string): Promise<void> {
  const nest = place.prefix + name
  for (const inside of await readdir(nest)) {
    if (inside !== nestedSocket && inside !== nestedCopy) return
    const path = `${nest}/${inside}`
    const status = await lookAt(path)
    if (status === undefined) continue
    if (!status.isSocket() || (await probeSocket(path)) === 'alive') return
  }
  await removeNest(nest)
}

async function sweepClaim(place: SocketPlace, name: string, own: ClaimDirectory): Promise<void> {
  const status = await lookAt(place.prefix + name)
  if (status === undefined || !status.isSocket() || (await probeSocket(place.prefix + name)) === 'alive') return
  await takeName(own, name)
  await releaseName(own, name)
}

/** Of this user, and made or last filled `ageMs` ago. */
async function old(path: string, ageMs: number): Promise<boolean> {
  const status = await lookAt(path)
  if (status === undefined || status.uid !== BigInt(ownUid())) return false
  return Date.now() - Number(status.mtimeMs) >= ageMs
}
