/**
 * The recipe by which one of several starting servers takes a socket name, and a live server never loses it.
 *
 * Why it is safe:
 * - Dead is for ever: a socket file whose listener has gone never gets one again.
 * - Only the holder of the claim on an inode may replace or remove that inode at a name.
 * - A claim is a hard link to the claimant's own listening socket, named after the dead inode. A claimant that
 *   crashed is therefore found dead by the same probe, and its claim is claimed in turn: hence the chain.
 * - Linking fails where there is a name and renaming replaces it at once: there is no moment without a name.
 *
 * Everything it does to the system goes through `ClaimDirectory`, one call a step, so that
 * `test/faults/claim-model.test.ts` can run this very code through all interleavings of several processes, and
 * `test/faults/claim-race.test.ts` can put pauses and crashes between the steps of real ones.
 *
 * Stated limit: somebody else who moves or removes names in the directory during a takeover, by hand or with a program
 * that unlinks before it binds, voids the proof. The directory is private for that reason too.
 */

import type { Liveness } from './socket-probe.ts'

/** One directory, and in it a listening socket of ours that has no public name yet. */
export interface ClaimDirectory {
  /** The inode of our socket. */
  readonly own: bigint
  /** Gives our socket this name too. False: there is something of that name. */
  link(name: string): Promise<boolean>
  /** The inode of the socket that has this name; undefined: nothing has. Rejects for what we must not touch. */
  inode(name: string): Promise<bigint | undefined>
  probe(name: string): Promise<Liveness>
  /** Gives our socket this name instead of whatever has it, atomically. */
  replace(name: string): Promise<void>
  remove(name: string): Promise<void>
  /** A living process has this name. Rejects when that is final; else waits a moment. */
  occupied(name: string): Promise<void>
}

/** Gives our socket the name: an unused one or that of a dead socket. Rejects when a live one has it. */
export async function takeName(directory: ClaimDirectory, name: string): Promise<void> {
  while (!(await directory.link(name))) {
    const outcome = await withClaim(directory, name, () => directory.replace(name))
    if (outcome === 'done') return
    if (outcome === 'alive') await directory.occupied(name)
  }
}

/** Removes the name of a dead socket. False: there was none. */
export async function removeDeadName(directory: ClaimDirectory, name: string): Promise<boolean> {
  for (;;) {
    const outcome = await withClaim(directory, name, () => directory.remove(name))
    if (outcome !== 'changed') return outcome === 'done'
  }
}

/** Gives a name back, unless it is somebody else's by now. Nobody takes it from a socket that still listens. */
export async function releaseName(directory: ClaimDirectory, name: string): Promise<void> {
  if ((await directory.inode(name)) === directory.own) await directory.remove(name)
}

/** The name of the claim on a dead inode: at most 17 bytes. */
export function claimName(inode: bigint): string {
  return `.pc-${inode.toString(36)}`
}

type Outcome = 'done' | 'alive' | 'absent' | 'changed'

/** Acts on a name while we hold the claim on the dead socket that has it. */
async function withClaim(directory: ClaimDirectory, name: string, act: () => Promise<void>): Promise<Outcome> {
  const found = await directory.inode(name)
  if (found === undefined) return 'absent'
  const liveness = await directory.probe(name)
  if ((await directory.inode(name)) !== found) return 'changed'
  if (liveness === 'alive') return 'alive'
  const claim = claimName(found)
  await takeName(directory, claim)
  try {
    // Another may have held the claim, replaced the dead socket and given the claim back before we got it.
    if ((await directory.inode(name)) !== found || (await directory.probe(name)) === 'alive') return 'changed'
    await act()
    return 'done'
  } finally {
    await releaseName(directory, claim)
  }
}
