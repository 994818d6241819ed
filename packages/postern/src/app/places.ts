/** The places of one address: how many connections it may have, and how many of them one foreign user. */

import { PosternError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'
import type { Peer } from '../core/stream.ts'
import { ownUid } from '../os/identity.ts'

type PlaceLimits = Pick<Limits, 'maxConnections' | 'maxConnectionsPerForeignUid'>

export class Places {
  readonly #limits: PlaceLimits
  #taken = 0
  /** The places of each user who is not the server's and has some. */
  readonly #foreign = new Map<number, number>()

  constructor(limits: PlaceLimits) {
    this.#limits = limits
  }

  /** Why there is no place for this peer; undefined when there is. Whom the kernel does not tell is counted with all. */
  lack({ uid }: Peer): PosternError | undefined {
    const { maxConnections, maxConnectionsPerForeignUid } = this.#limits
    if (this.#taken >= maxConnections) return dropped('maxConnections', maxConnections, 'are open')
    if (uid === undefined || (this.#foreign.get(uid) ?? 0) < maxConnectionsPerForeignUid) return undefined
    return dropped('maxConnectionsPerForeignUid', maxConnectionsPerForeignUid, `of uid ${uid} are open`)
  }

  /** Takes a place, which the function returned gives back; calling it again does nothing. */
  take({ uid }: Peer): () => void {
    const counted = uid !== undefined && uid !== ownUid() ? uid : undefined
    this.#taken++
    if (counted !== undefined) this.#foreign.set(counted, (this.#foreign.get(counted) ?? 0) + 1)
    let over = false
    return () => {
      if (over) return
      over = true
      this.#taken--
      if (counted !== undefined) this.#leave(counted)
    }
  }

  #leave(uid: number): void {
    const left = (this.#foreign.get(uid) ?? 0) - 1
    if (left > 0) this.#foreign.set(uid, left)
    else this.#foreign.delete(uid)
  }
}

/** What is said of a connection for which a limit leaves no place. */
export function dropped(limit: keyof Limits, value: number, why: string): PosternError {
  return new PosternError('busy', `a connection was refused: limits.${limit} (${value}) ${why}`)
}
