/** The blobs of a session: frames name them where channel and protocol both can. */

import { SharedBlob } from '../core/blobs.ts'
import type { Channel } from '../core/channel.ts'
import { PosternError } from '../core/errors.ts'
import type { Protocol } from '../protocols/protocol.ts'

/** The protocol that names the blobs of this channel, where it can. */
export function withBlobs(protocol: Protocol, { blobs }: Channel): Protocol {
  return blobs === undefined ? protocol : (protocol.withBlobs?.(blobs) ?? protocol)
}

/** Memory that can be handed over. Throws `not_supported` where nothing can. */
export function makeBlob(
  { blobs }: Channel,
  { address, protocol }: { readonly address: string; readonly protocol: Protocol },
  bytes: number,
): SharedBlob {
  if (blobs === undefined || protocol.withBlobs === undefined) {
    throw new PosternError(
      'not_supported',
      `${address} hands no blobs over; that needs an address of shm:, and codec=msgpack or codec=cbor at its client`,
    )
  }
  return new SharedBlob(blobs.create(bytes))
}
