/**
 * What completion asks of this machine. Loaded when it is asked for, since the Tab key waits for what is loaded.
 */

import { withConnection } from './connection-options.ts'
import { type AddressedSocket, localAddresses } from './local-addresses.ts'
import { discover, type MemberDescription } from './service-description.ts'

/** The sockets of this user; none where they cannot be listed. */
export async function socketsHere(): Promise<readonly AddressedSocket[]> {
  return await localAddresses().catch(() => [])
}

/** Who pressed the key does not wait longer. */
const askMs = 500

/** What a server behind a `local:` name describes. To others nothing is sent: they may not be Postern. */
export async function membersAt(address: string): Promise<readonly MemberDescription[]> {
  if (!address.startsWith('local:')) return []
  try {
    const values = { timeout: `${askMs}ms`, json: true }
    return (await withConnection(address, values, (connection) => discover(connection, address))).members
  } catch {
    return []
  }
}
