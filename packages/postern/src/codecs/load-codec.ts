/**
 * Gets the codecs that stand on a package of their own, which is loaded when it is first asked for.
 */

import { PosternError } from '../core/errors.ts'
import type { BinaryCodec } from './codec.ts'

/** The package that each codec needs. */
const peers = { msgpack: 'msgpackr', cbor: 'cbor-x' } as const

/** The names of those codecs. */
export type BinaryCodecName = keyof typeof peers

/**
 * The codec of that name. Rejects with `missing_dependency` where its package cannot be loaded.
 *
 * @example
 * ```ts
 * const msgpack = await loadBinaryCodec('msgpack')
 * msgpack.encode({ bytes: new Uint8Array(3), large: 2n ** 60n })
 * ```
 */
export async function loadBinaryCodec(name: BinaryCodecName): Promise<BinaryCodec> {
  try {
    return name === 'msgpack' ? (await import('./msgpack.ts')).msgpack : (await import('./cbor.ts')).cbor
  } catch (cause) {
    const sentence = `codec=${name} needs the package "${peers[name]}" (npm install ${peers[name]})`
    throw new PosternError('missing_dependency', sentence, { cause })
  }
}
