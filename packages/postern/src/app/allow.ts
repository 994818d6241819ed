/**
 * Who may use an address, by what the kernel says of them. Their pid decides nothing: it may be another's by now.
 */

import type { Address, Scheme } from '../core/address.ts'
import { PosternError } from '../core/errors.ts'
import type { Peer } from '../core/stream.ts'
import { maxGroupId, resolveGroup } from '../os/group.ts'
import { ownUid } from '../os/identity.ts'
import { findNative, loadNative } from '../os/native.ts'
import { hasNamedPipes } from '../os/pipe-path.ts'
import { checkOptions } from '../service/options.ts'

/** Users who are let in, beside that of the server and root. */
export interface AllowOption {
  /** By their ids. */
  readonly uids?: readonly number[]
  /** By a group, primary or supplementary, in which they are: its name or its id. */
  readonly groups?: readonly (string | number)[]
}

/** Why somebody is turned away; undefined lets them in. */
export type Admission = (peer: Peer) => PosternError | undefined

/** Throws `TypeError` for what is no `AllowOption`, or lists nobody. */
export function checkAllow(allow: unknown): asserts allow is AllowOption {
  checkOptions('allow', allow, ['uids', 'groups'])
  const { uids, groups } = allow as { readonly uids?: unknown; readonly groups?: unknown }
  if (uids === undefined && groups === undefined)
    throw new TypeError('allow lists nobody: give uids or groups, as allow: { uids: [1001] }')
  if (uids !== undefined) checkList('uids', uids, isId)
  if (groups !== undefined)
    checkList('groups', groups, (group) => isId(group) || (typeof group === 'string' && group !== ''))
}

function checkList(name: keyof AllowOption, list: unknown, isRight: (item: unknown) => boolean): void {
  const what = name === 'uids' ? 'the numbers of users, as [1001]' : 'names or numbers of groups, as ["node-users"]'
  if (!Array.isArray(list) || list.length === 0 || !list.every(isRight))
    throw new TypeError(`allow.${name} is a list of ${what}, not ${JSON.stringify(list)}`)
}

function isId(id: unknown): boolean {
  return Number.isInteger(id) && Number(id) >= 0 && Number(id) <= maxGroupId
}

/** Whether others than the server's own user and root are let in, so that the socket's file must let them connect. */
export function allowsOthers({ uids = [], groups = [] }: AllowOption): boolean {
  return groups.length > 0 || uids.some((uid) => !isOwnOrRoot(uid))
}

/** What an address says of who may use it. */
export interface AdmissionOptions {
  readonly address: Address
  readonly allow: AllowOption | undefined
  /** The group whose members may connect. */
  readonly group: string | number | undefined
}

/** The addresses of which the kernel tells who connects. */
const withPeers: ReadonlySet<Scheme> = new Set(['unix', 'local', 'systemd', 'shm'])

/**
 * How the address chooses who is let in. With `allow` only the listed are: `missing_dependency` without the native addon,
 * `not_supported` where nobody can be told or reached. Without it the mode of the file decides, and where the addon is
 * there it is made sure of; undefined where nothing is.
 */
export async function admissionTo({ address, allow, group }: AdmissionOptions): Promise<Admission | undefined> {
  const told = withPeers.has(address.scheme) && !hasNamedPipes()
  if (allow !== undefined) {
    if (!told) throw notTold(address)
    if (address.scheme === 'local' && allowsOthers(allow)) throw outOfReach(address)
    await loadNative(`allow at ${address.text}`)
    return admissionOf({ uids: allow.uids ?? [], gids: await gidsOf(allow.groups ?? []), alive: true })
  }
  // What systemd lets in stands in its unit.
  if (!told || address.scheme === 'systemd' || (await findNative()) === undefined) return undefined
  // A note may come from a process that has ended since: it was one that the file let in.
  return admissionOf({ uids: [], gids: await gidsOf(group === undefined ? [] : [group]), alive: false })
}

async function gidsOf(groups: readonly (string | number)[]): Promise<number[]> {
  return await Promise.all(groups.map(resolveGroup))
}

interface Admitted {
  readonly uids: readonly number[]
  readonly gids: readonly number[]
  /** Whether the process must still run: who has gone cannot be asked, and its pid may be another's. */
  readonly alive: boolean
}

function admissionOf({ uids, gids, alive }: Admitted): Admission {
  return (peer) => {
    const { uid } = peer
    if (uid === undefined) return refused('the system does not tell who connected', peer)
    if (alive && peer.alive === false) return refused('the process that connected has ended', peer)
    if (isOwnOrRoot(uid) || uids.includes(uid) || groupsOf(peer).some((gid) => gids.includes(gid))) return undefined
    return refused(`this address is not for uid ${uid}; its server lets in others by the option allow`, peer)
  }
}

function groupsOf({ gid, groups = [] }: Peer): readonly number[] {
  return gid === undefined ? groups : [gid, ...groups]
}

function isOwnOrRoot(uid: number): boolean {
  return uid === ownUid() || uid === 0
}

function refused(sentence: string, { uid, gid, pid }: Peer): PosternError {
  return new PosternError('permission_denied', sentence, { details: { uid, gid, pid } })
}

function notTold({ text }: Address): PosternError {
  return new PosternError(
    'not_supported',
    `allow works with unix:, shm:, systemd: and local: addresses alone: of who connects to ${text} the kernel tells nothing`,
  )
}

function outOfReach({ text, target }: Address): PosternError {
  return new PosternError(
    'not_supported',
    `${text} lies in a directory that only this user may enter, so that nobody else whom allow lists can reach it; give a path outside it, such as unix:/run/${target}/${target}.sock`,
  )
}
