/** TLS, where an address leads over TCP: what it takes of its user. */

import type { Address } from '../core/address.ts'
import { PosternError } from '../core/errors.ts'
import { checkOptions } from '../service/options.ts'

/** What of an address is asked here. */
type NamedScheme = Pick<Address, 'scheme' | 'text'>

/** Throws `TypeError` for what is no `tls` of a server, `not_supported` for an address that is not `tcp:`. */
export function checkServerTls(tls: unknown, address: Address): void {
  checkOptions('tls of a server', tls, ['key', 'cert'])
  const { key, cert } = tls as Readonly<Record<string, unknown>>
  checkPem('tls.key', key, 'PRIVATE KEY')
  checkPem('tls.cert', cert, 'CERTIFICATE')
  refuseElsewhere(address)
}

/** Throws `TypeError` for what is no `tls` of a client, `not_supported` for an address that is not `tcp:`. */
export function checkClientTls(tls: unknown, address: NamedScheme): void {
  checkOptions('tls of a client', tls, ['ca'])
  const { ca } = tls as Readonly<Record<string, unknown>>
  if (ca !== undefined) checkPem('tls.ca', ca, 'CERTIFICATE')
  refuseElsewhere(address)
}

function checkPem(option: string, pem: unknown, label: string): void {
  const isText = typeof pem === 'string' || Buffer.isBuffer(pem)
  // As `EC PRIVATE KEY` and `TRUSTED CERTIFICATE` too.
  if (isText && pem.includes('-----BEGIN ') && pem.includes(`${label}-----`)) return
  throw new TypeError(
    `${option} is PEM text, which has a line "-----BEGIN ${label}-----": the content of the file, as readFile gives it, not its path`,
  )
}

function refuseElsewhere({ scheme, text }: NamedScheme): void {
  if (scheme === 'tcp') return
  throw new PosternError('not_supported', `tls works with tcp: addresses alone, so not at ${text}; leave it out`)
}
